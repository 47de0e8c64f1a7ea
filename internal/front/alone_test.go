package front_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"weir/internal/media/mediatest"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

// Whose only server restarts within seconds goes on there: a publisher, and a viewer.
func TestP3TheOnlyServersRestart(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.origins, w.edges = []*mediatest.Node{w.a}, []*mediatest.Node{w.x}
		pub := w.Publish(w.front, alice, 1)
		elapse(time.Second)
		v := w.View(w.front, alice, nil)
		elapse(3 * time.Second)
		for _, n := range []*mediatest.Node{w.x, w.a} {
			n.Kill()
			elapse(5 * time.Second)
			n.Listen()
			elapse(3 * time.Second)
			if over, err := pub.Ended(); over {
				t.Fatalf("the publisher was ended: %v", err)
			}
			if over, err := v.Ended(); over || time.Since(v.Report().Last) > time.Second {
				t.Fatalf("the viewer: ended %v %v, its last frame is %v old", over, err, time.Since(v.Report().Last))
			}
		}
		w.x.Kill()
		elapse(9 * time.Second)
		if over, _ := v.Ended(); over {
			t.Error("the viewer was given up too early")
		}
		elapse(3 * time.Second)
		if over, _ := v.Ended(); !over {
			t.Error("the viewer was never told")
		}
	})
}

// A server that just failed is not what is tried first, even if it is all there is.
func TestAFailedServerIsNotTriedAtOnce(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.origins, w.edges = []*mediatest.Node{w.a}, []*mediatest.Node{w.x}
		w.Publish(w.front, alice, 1)
		elapse(time.Second)
		w.View(w.front, alice, nil)
		elapse(time.Second)
		w.a.Kill()
		w.x.Kill()
		elapse(40 * time.Millisecond)
		if failed := event.Of[event.BackendFailed](w.front.Rec); len(failed) != 2 {
			t.Errorf("not the two that have lost their server: %+v", failed)
		}
		elapse(5 * time.Second)
		// Waits of up to a second, not three tries each time.
		if n := len(event.Of[event.BackendFailed](w.front.Rec)); n < 10 || n > 40 {
			t.Errorf("%d tries in 5 s", n)
		}
		w.a.Listen()
		w.x.Listen()
		elapse(2 * time.Second)
	})
}

// A server that is to be left is no place to go to, even if there is no other: its publisher stays.
func TestWhoIsToLeaveIsNotSentBack(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.use(w.a)
		pub := w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		for _, gentle := range []bool{true, false} {
			w.f[0].Evacuate("a", gentle)
			elapse(5 * time.Second)
			if over, err := pub.Ended(); over || !w.a.has("alice") {
				t.Fatalf("the publisher did not stay: %v %v", over, err)
			}
			w.a.mu.Lock()
			if n := len(w.a.publishes); n != 1 {
				t.Errorf("it was published there %d times", n)
			}
			w.a.mu.Unlock()
		}
		unmoved(t, w.fronts[0])
	})
}

// Those who have lost one server together come to the next at different times.
func TestALostServersViewersDoNotDialTogether(t *testing.T) {
	const many = 40
	spread := func(t *testing.T, w *mediatest.World, addr string, at *mediatest.Node, fail, back func()) {
		var viewers []*mediatest.Viewer
		for range many {
			viewers = append(viewers, w.View(at, alice, nil))
		}
		elapse(2 * time.Second)
		var mu sync.Mutex
		dialled := map[time.Time]int{}
		w.Net.Faults = func(to string) testnet.Faults {
			if to == addr {
				mu.Lock()
				dialled[time.Now()]++
				mu.Unlock()
			}
			return testnet.Faults{}
		}
		fail()
		elapse(4 * time.Second)
		back()
		elapse(4 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for when, n := range dialled {
			if n > many/10 {
				t.Errorf("%d dialled together at %v", n, when)
			}
		}
		if len(dialled) < many/2 {
			t.Errorf("dialled at %d times", len(dialled))
		}
		for _, v := range viewers {
			if over, err := v.Ended(); over {
				t.Fatalf("a viewer was ended: %v", err)
			}
		}
	}
	t.Run("a node", func(t *testing.T) {
		in(t, func(t *testing.T, w *fleet) {
			w.edges = []*mediatest.Node{w.x}
			w.Publish(w.front, alice, 1)
			elapse(time.Second)
			spread(t, w.World, w.x.Addr, w.front, w.x.Kill, w.x.Listen)
		})
	})
	t.Run("a node, and another is there", func(t *testing.T) {
		in(t, func(t *testing.T, w *fleet) {
			w.Publish(w.front, alice, 1)
			elapse(time.Second)
			spread(t, w.World, w.y.Addr, w.front, w.x.Kill, func() {})
		})
	})
	t.Run("a foreign server", func(t *testing.T) {
		behind(t, nil, func(t *testing.T, w *foreignFleet) {
			w.use(w.a)
			w.Publish(&mediatest.Node{Addr: w.a.addr}, alice, 1) // past the fronts
			elapse(time.Second)
			spread(t, w.World, w.a.addr, w.fronts[0], func() {
				w.a.ln.Close()
				for _, l := range w.Net.Links(w.a.addr)[1:] { // not its publisher's: that would end the viewers' stream
					l.Reset()
				}
			}, w.a.listen)
		})
	})
}

// A node asks its publishers to go elsewhere, and there is nobody. They stay, and do not all look for
// somebody at the same moments.
func TestPublishersThatAreAskedToLeaveDoNotLookTogether(t *testing.T) {
	const many = 40
	in(t, func(t *testing.T, w *fleet) {
		w.origins = []*mediatest.Node{w.a}
		var runs []*mediatest.Run
		for i := range many {
			runs = append(runs, w.Publish(w.front, stream.Name{App: "live", Stream: fmt.Sprint("s", i)}, 1))
		}
		elapse(time.Second)
		for _, h := range w.a.Sessions.Held() {
			h.AskToMove("")
		}
		elapse(time.Second)
		w.mu.Lock()
		w.asked = nil
		w.mu.Unlock()
		elapse(10 * time.Second)
		w.mu.Lock()
		tries := 0
		for when, n := range w.asked {
			if tries += n; n > many/10 {
				t.Errorf("%d together at %v", n, when)
			}
		}
		w.mu.Unlock()
		if tries < 9*many || tries > 25*many {
			t.Errorf("%d tries in 10 s", tries)
		}
		for _, run := range runs {
			if over, err := run.Ended(); over {
				t.Fatalf("a publisher was ended: %v", err)
			}
		}
		unmoved(t, w.front)
	})
}

// mute is a node that takes a publish and never answers it.
type mute struct{ mediatest.Handler }

func (mute) Publish(ctx context.Context, _ *session.Publish) (session.Publisher, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// A publisher's first answer comes before its encoder gives up, also of nodes.
func TestNodesThatDoNotAnswerAreGivenUpInTime(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.origins = nil
		for _, name := range []string{"m1", "m2", "m3"} {
			w.origins = append(w.origins, w.StartWith(name, func(n *mediatest.Node) session.Handler { return mute{mediatest.Handler{Node: n}} }))
		}
		pub := w.Publish(w.front, alice, 1)
		elapse(10 * time.Second)
		over, err := pub.Ended()
		var refused *rtmp.StatusError
		if !over || !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePublishRejected {
			t.Errorf("after 10 s: %v %v", over, err)
		}
	})
}
