package front_test

import (
	"testing"
	"time"
)

// A stream goes elsewhere while a viewer is on its way to where it was: when it comes, and when it has
// lost the server before.
func TestAViewerOnItsWayDoesNotMissThatItsStreamIsElsewhere(t *testing.T) {
	t.Run("at the beginning", func(t *testing.T) {
		behind(t, nil, func(t *testing.T, w *foreignFleet) {
			w.Publish(w.fronts[0], alice, 1)
			elapse(2 * time.Second)
			w.placed = func() {
				w.use(w.b)
				w.f[0].Evacuate("a", false)
				time.Sleep(2 * time.Second)
			}
			v := w.View(w.fronts[1], alice, nil)
			elapse(8 * time.Second)
			if at, _ := w.desk.At(alice); at.Server != "b" {
				t.Fatalf("the stream is at %q", at.Server)
			}
			healthy(t, v)
			if r := v.Report(); r.Video == 0 || time.Since(r.Last) > time.Second {
				t.Errorf("it sees nothing: %+v", r)
			}
		})
	})
	t.Run("between servers", func(t *testing.T) {
		behind(t, nil, func(t *testing.T, w *foreignFleet) {
			w.Publish(w.fronts[0], alice, 1)
			elapse(2 * time.Second)
			v := w.View(w.fronts[1], alice, nil)
			elapse(2 * time.Second)
			w.mu.Lock()
			w.placed = func() {
				w.a.listen()
				w.use(w.a)
				w.f[0].Evacuate("b", false)
				time.Sleep(2 * time.Second)
			}
			w.mu.Unlock()
			w.a.kill()
			elapse(10 * time.Second)
			if at, _ := w.desk.At(alice); at.Server != "a" {
				t.Fatalf("the stream is at %q", at.Server)
			}
			if over, err := v.Ended(); over {
				t.Fatalf("ended: %v", err)
			}
			if r := v.Report(); time.Since(r.Last) > time.Second {
				t.Errorf("it sees nothing: %+v", r)
			}
		})
	})
}
