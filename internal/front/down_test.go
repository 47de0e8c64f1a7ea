package front_test

import (
	"io"
	"net"
	"testing"
	"time"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// Who checks a server may be cut off from it, and not its sessions: they stay with it while there is nobody
// else, and lose nothing when there is.
func TestP3AServerThatIsOnlySaidToBeDown(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.book.same = true
		w.use(w.a)
		pub := w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		v := w.View(w.fronts[1], alice, nil)
		elapse(3 * time.Second)
		for _, f := range w.f {
			f.Evacuate("a", false)
		}
		elapse(15 * time.Second)
		if over, err := pub.Ended(); over {
			t.Fatalf("the publisher was ended: %v", err)
		}
		seen := func(gap time.Duration) {
			t.Helper()
			over, err := v.Ended()
			if r := v.Report(); over || r.Lost+r.Doubled+r.Foreign != 0 || r.LongestGap > gap || time.Since(r.Last) > time.Second {
				t.Fatalf("the viewer: ended %v %v, saw %s, longest gap %v", over, err, r.Faults(), r.LongestGap)
			}
		}
		seen(500 * time.Millisecond)
		for _, at := range w.fronts {
			unmoved(t, at)
		}
	})
}

// The viewer's own server is said to be down, serves, and another has the stream too.
func TestP3ViewersOfAServerThatIsSaidToBeDownKeepTheirPicture(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.published()
		v := w.View(w.fronts[0], alice, nil)
		elapse(2*time.Second + 100*time.Millisecond)
		w.f[0].Evacuate("a", false)
		elapse(5 * time.Second)
		over, err := v.Ended()
		if r := v.Report(); over || r.LongestGap > 500*time.Millisecond || time.Since(r.Last) > time.Second {
			t.Errorf("the viewer: ended %v %v, longest gap %v", over, err, r.LongestGap)
		}
		if a, b := w.a.viewers("alice"), w.b.viewers("alice"); a != 0 || b != 1 {
			t.Errorf("%d connections to a, %d to b", a, b)
		}
		if failed := event.Of[event.BackendFailed](w.fronts[0].Rec); len(failed) != 0 {
			t.Errorf("accused: %+v", failed)
		}
	})
}

// A server that answers no pings is left when it is down and says nothing.
func TestViewersOfADownAndSilentServerAreTold(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.use(w.a)
		w.a.script = after(rtmp.EventPlay, func(c *rtmp.ServerConn, ev *rtmp.Event) {
			accept(c, ev)
			io.Copy(io.Discard, c.NetConn())
		})
		v := w.View(w.fronts[0], alice, nil)
		elapse(20 * time.Second)
		if over, err := v.Ended(); over {
			t.Fatalf("ended although nobody says that the server is down: %v", err)
		}
		w.a.script = func(c net.Conn) {}
		w.f[0].Evacuate("a", false)
		elapse(15 * time.Second)
		if over, _ := v.Ended(); !over {
			t.Error("the viewer was never told")
		}
	})
}
