package faults_test

import (
	"slices"
	"testing"
	"time"

	"weir/internal/testnet"
)

// lateAndTiny is a way on which every segment is late, none as late as the last, and one byte long.
var lateAndTiny = testnet.Faults{Delay: 20 * ms, Jitter: 30 * ms, Piece: 1}

// The way from an origin to an edge is a bad one, in every way that there is. The other edge's is not.
func TestBadWayBetweenOriginAndEdge(t *testing.T) {
	tell(t, "bad way between origin and edge", func(s *story) {
		w := &ways{s: s}
		c := &members{s: s, store: s.startEtcd(1, nil)}
		c.behind(w, "o1:origin", lateAndTiny)
		c.launch("e1:edge", nil)
		c.launch("e2:edge", nil)
		c.ready()
		p := s.publish(c.node("o1"), "alice") // directly
		hit := []*viewer{s.watch(c.node("e1"), "alice")}
		bad := w.feed(testnet.Down)
		w.mend()
		others := []*viewer{s.watch(c.node("e2"), "alice"), s.watch(c.node("o1"), "alice")}
		good := w.feed(testnet.Down, bad)
		s.sees(slices.Concat(hit, others), 2*time.Second, 10*time.Second)
		find := func() *testnet.Link { return w.feed(testnet.Down, good) }
		w.breakAll(testnet.Down, find, hit, others)
		w.damage(testnet.Down, find, hit, others, p)
		s.eventually(10*time.Second, "one pull for each edge", c.pulled("o1", "alice", "e1", "e2"))
	})
}

// The same of the way from a front to an origin, which a publisher is carried on. The other publisher of
// the front has a way of its own.
func TestBadWayBetweenFrontAndOrigin(t *testing.T) {
	tell(t, "bad way between front and origin", func(s *story) {
		w := &ways{s: s}
		c := &members{s: s, store: s.startEtcd(1, nil)}
		c.launch("f1:front", nil)
		c.behind(w, "o1:origin", lateAndTiny)
		c.behind(w, "o2:origin", lateAndTiny)
		c.launch("e1:edge", nil)
		c.ready()
		alice := s.publish(c.node("f1"), "alice")
		bad := w.feed(testnet.Up)
		w.mend()
		bob := s.publish(c.node("f1"), "bob")
		good := w.feed(testnet.Up, bad)
		hit, others := []*viewer{s.watch(c.node("e1"), "alice"), s.watch(c.node("f1"), "alice")}, []*viewer{s.watch(c.node("e1"), "bob")}
		s.sees(slices.Concat(hit, others), 2*time.Second, 10*time.Second)
		find := func() *testnet.Link { return w.feed(testnet.Up, good) }
		w.breakAll(testnet.Up, find, hit, others)
		w.damage(testnet.Up, find, hit, others, alice, bob)
		s.eventually(10*time.Second, "one pull for each", func() error {
			if err := c.pulled("f1", "alice", "e1")(); err != nil {
				return err
			}
			return c.pulled("f1", "bob", "e1")()
		})
	})
}
