package front_test

import (
	"testing"
	"time"

	"weir/internal/ops/event"
)

// A server dies, its sessions go elsewhere by themselves, and only then the word that it is
// down comes to them: they stay where they are.
func TestP3AServersDeathMovesItsSessionsOnce(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.book.same = true
		c := w.stranger("c", "10.1.0.3:1935")
		pub := w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		v := w.View(w.fronts[0], alice, nil)
		elapse(2 * time.Second)
		w.use() // nobody can take them yet: the word is there before they have moved
		w.a.kill()
		elapse(100 * time.Millisecond)
		w.f[0].Evacuate("a", false)
		elapse(100 * time.Millisecond)
		w.use(w.b, c)
		elapse(5 * time.Second)
		if over, err := pub.Ended(); over {
			t.Fatalf("the publisher was ended: %v", err)
		}
		over, err := v.Ended()
		if r := v.Report(); over || r.Doubled != 0 || time.Since(r.Last) > time.Second {
			t.Errorf("the viewer: ended %v %v, %s", over, err, r.Faults())
		}
		moved := map[event.Session][]event.BackendChanged{}
		for _, e := range event.Of[event.BackendChanged](w.fronts[0].Rec) {
			moved[e.Session] = append(moved[e.Session], e)
		}
		if len(moved) != 2 {
			t.Errorf("%d sessions moved, not the publisher and the viewer", len(moved))
		}
		for _, all := range moved {
			if len(all) != 1 || all[0].From != "a" || all[0].To != "b" {
				t.Errorf("moved %+v", all)
			}
		}
	})
}
