package front_test

import (
	"testing"
	"time"

	"weir/internal/front"
	"weir/internal/media/mediatest"
	"weir/internal/media/session"
	"weir/internal/ops/event"
)

// What a front carries counts there as it does at the other end of each connection, once, while it goes on and
// when it is over.
func TestWhatIsCarriedCountsAtBothEnds(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		// there is what the front sent to the nodes behind and what they sent to it, by their own count. Feeds from node to node
		// are not the front's.
		there := func() (sent, got int64) {
			for _, n := range []*mediatest.Node{w.a, w.b, w.x, w.y} {
				by, own := n.Sessions.Traffic()
				for _, role := range []event.Role{event.RolePublisher, event.RoleViewer} {
					sent, got = sent+by[role].In, got+by[role].Out
				}
				if own != (session.Traffic{}) {
					t.Errorf("%s has spoken to itself: %+v", n.Name, own)
				}
			}
			return sent, got
		}
		var before [2]int64
		agree := func(when string, least int64) {
			t.Helper()
			in, out := w.f.Bytes()
			if sent, got := there(); out != sent || in != got {
				t.Errorf("%s the front counts %d out and %d in; the servers had %d and sent %d", when, out, in, sent, got)
			}
			if in < before[0] || out < before[1] || out-before[1] < least {
				t.Errorf("%s it has %d in and %d out, after %v", when, in, out, before)
			}
			before = [2]int64{in, out}
		}
		pub := w.Publish(w.front, alice, 1)
		elapse(2 * time.Second)
		agree("with a publisher", 10_000)
		v := w.View(w.front, alice, nil)
		elapse(3 * time.Second)
		agree("with a viewer too", 10_000)
		if before[0] < 10_000 {
			t.Errorf("the viewer's server has sent %d bytes", before[0])
		}
		one := front.Present{Carried: 1}
		if p, v := w.f.Present(); p != one || v != one {
			t.Errorf("publishers %+v, viewers %+v", p, v)
		}
		by, _ := w.front.Sessions.Traffic()
		if in, out := w.front.Sessions.Bytes(); by[event.RolePublisher].In < before[1]*9/10 || by[event.RoleViewer].Out < before[0]*9/10 ||
			in != by[event.RolePublisher].In+by[event.RoleViewer].In || out != by[event.RolePublisher].Out+by[event.RoleViewer].Out {
			t.Errorf("its clients: %+v, in all %d and %d", by, in, out)
		}
		v.Stop()
		pub.Stop()
		elapse(time.Second)
		agree("at last", 0)
	})
}
