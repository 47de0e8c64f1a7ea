package front_test

import (
	"testing"
	"time"

	"weir/internal/media/mediatest"
)

// viewers is how many play a stream at a server.
func (s *stranger) viewers(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.players[name])
}

// published has both servers have the stream, past the fronts, so that a viewer may be at either.
func (w *foreignFleet) published() {
	for _, s := range []*stranger{w.a, w.b} {
		w.Publish(&mediatest.Node{Addr: s.addr}, alice, 1)
	}
	elapse(time.Second)
}

// A server breaks while its viewer is being moved away from it: the viewer has one connection
// afterwards, the one that its own search has found or the one that the move has.
func TestAMoveAndABreakLeaveOneConnection(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.published()
		v := w.View(w.fronts[0], alice, nil)
		elapse(2*time.Second + 100*time.Millisecond)
		if w.a.viewers("alice") != 1 {
			t.Fatal("the viewer is not at a")
		}
		w.f[0].Evacuate("a", true)
		elapse(100 * time.Millisecond) // it waits for b's key frame
		if w.b.viewers("alice") != 1 {
			t.Fatal("the move has not begun")
		}
		w.use() // its own search takes longer than the key frame
		for _, l := range w.Net.Links(w.a.addr)[1:] {
			l.Reset()
		}
		elapse(2 * time.Second)
		w.use(w.b)
		elapse(3 * time.Second)
		if n := w.b.viewers("alice"); n != 1 {
			t.Errorf("%d connections for one viewer", n)
		}
		if over, err := v.Ended(); over || time.Since(v.Report().Last) > time.Second {
			t.Errorf("the viewer: ended %v %v, its last frame is %v old", over, err, time.Since(v.Report().Last))
		}
	})
}
