package relay_test

import (
	"testing"
	"time"

	"weir/internal/media/mediatest"
	"weir/internal/media/relay"
	"weir/internal/ops/event"
)

// A pull comes in where it goes out: at the edge what the origin has sent, while it runs and when the connection is
// gone.
func TestPullsCountAtBothEnds(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(2 * time.Second)
		p := want(t, edge, alice)
		elapse(3 * time.Second)
		agree := func() (in int64) {
			t.Helper()
			in, out := edge.Peers.Bytes()
			by, _ := origin.Sessions.Traffic()
			if feed := by[event.RoleFeed]; in != feed.Out || out != feed.In {
				t.Errorf("the edge has %d in and %d out, the origin's feed %+v", in, out, feed)
			}
			return in
		}
		during := agree()
		if during < 10_000 {
			t.Errorf("%d bytes in three seconds", during)
		}
		p.Release()
		elapse(time.Minute + relay.PeerIdle)
		if n := origin.Sessions.Len(); n != 1 { // the publisher's
			t.Fatalf("%d connections to the origin", n)
		}
		if after := agree(); after < during {
			t.Errorf("%d bytes, and then %d", during, after)
		}
	})
}

// conn is a connection that says what it is told to.
type conn struct{ in, out int64 }

func (c *conn) BytesIn() int64  { return c.in }
func (c *conn) BytesOut() int64 { return c.out }

func TestTrafficCountsEachConnectionOnce(t *testing.T) {
	var nobody *relay.Traffic
	nobody.Opened(&conn{1, 1})
	nobody.Over(&conn{1, 1})
	if in, out := nobody.Bytes(); in != 0 || out != 0 {
		t.Errorf("nobody counts %d and %d", in, out)
	}
	var all relay.Traffic
	want := func(wantIn, wantOut int64) {
		t.Helper()
		if in, out := all.Bytes(); in != wantIn || out != wantOut {
			t.Errorf("%d and %d, want %d and %d", in, out, wantIn, wantOut)
		}
	}
	a, b := &conn{1, 10}, &conn{100, 1000}
	all.Opened(a)
	all.Opened(b)
	all.Over(&conn{5, 5}) // which it does not know
	want(101, 1010)
	a.in = 2
	all.Over(a)
	all.Over(a)
	a.in = 3 // too late
	want(102, 1010)
	b.out = 2000
	want(102, 2010)
}

// What a node sends to itself counts at its sessions, and as that.
func TestWhatANodeSendsToItselfIsItsOwn(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n, s := w.Start("front"), newSource(t)
		p, err := relay.OpenPush(t.Context(), pushTo(w, n, alice)) // as front
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, p, s)
		s.elapse(2 * time.Second)
		own := func() {
			t.Helper()
			by, own := n.Sessions.Traffic()
			if of := by[event.RoleFeed]; own != of || of.In < 10_000 {
				t.Errorf("of %+v its own is %+v", of, own)
			}
		}
		own()
		if err := stop(); err != nil {
			t.Error(err)
		}
		elapse(time.Second)
		if n := n.Sessions.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		own()
	})
}
