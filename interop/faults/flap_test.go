package faults_test

import (
	"fmt"
	"testing"
	"time"
)

// A publisher that comes and goes leaves nothing behind.
func TestFlappingPublisher(t *testing.T) {
	// All runs at once, in one cluster: they are no easier for that, and take a twentieth of the time.
	tellTogether(t, "publisher flaps every 2 s × 50", func(s *story, runs int) {
		c := s.cluster(1, "front:front", "o1:origin", "o2:origin", "e1:edge")
		publishers := s.several(runs, "flap", c.node("front"))
		var viewers []*viewer
		for _, p := range publishers {
			viewers = append(viewers, s.watch(c.node("e1"), p.name), s.watch(c.node("front"), p.name))
		}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		before := c.baseline()
		// More often than spareGoroutines and spareDescriptors, so that one of either that a
		// flap leaves behind shows.
		for i := range scale(25, 50) {
			s.note("flap %d", i+1)
			for _, p := range publishers {
				p.leave()
			}
			// Not at once: its goodbye and its return are two connections, and nothing orders them.
			s.passes(scale(75*ms, time.Second))
			for _, p := range publishers {
				p.comeBack()
			}
			s.passes(scale(75*ms, time.Second))
		}
		s.fault("the last flap is over", func() {})
		s.calms(c, viewers, before)
		s.zero("publisher closes", closes(publishers...))
		s.clean(viewers, false)
	})
}

// An origin that dies again and again moves its publisher each time.
func TestOriginRestartLoop(t *testing.T) {
	tell(t, "origin restarts every 3 s × 20", func(s *story) {
		c := s.cluster(1, "front:front", "o1:origin", "o2:origin", "e1:edge")
		p := s.publish(c.node("front"), "alice")
		viewers := []*viewer{s.watch(c.node("e1"), "alice"), s.watch(c.node("front"), "alice")}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		before := c.baseline("o1", "o2")
		for i := range scale(3, 20) {
			owner := c.owner("front", "alice")
			s.fault(fmt.Sprintf("kill -9 of %s, restart %d", owner.name, i+1), owner.kill)
			owner.restart()
			s.passes(max(0, scale(2*time.Second, 3*time.Second)-s.since()))
		}
		s.calms(c, viewers, before)
		s.zero("publisher closes", closes(p))
		s.clean(viewers, false)
	})
}

// baseline is what each node holds now.
func (c *members) baseline(except ...string) map[string]resources {
	c.s.t.Helper()
	all := map[string]resources{}
nodes:
	for _, n := range c.all {
		for _, x := range except {
			if n.name == x {
				continue nodes
			}
		}
		r, err := n.resources()
		if err != nil {
			c.s.t.Fatal(err)
		}
		all[n.name] = r
	}
	return all
}

// Room for what is no leak: a call to the store that is under way, a connection
// between nodes that is kept for a while, garbage that was not collected yet.
const (
	spareGoroutines  = 15
	spareDescriptors = 6
	spareHeap        = 24 << 20 // bytes
)

// calms waits until all viewers see the stream without a break, and the nodes hold no
// more than before.
func (s *story) calms(c *members, viewers []*viewer, before map[string]resources) {
	s.t.Helper()
	s.sees(viewers, time.Second, 10*time.Second)
	s.gap("right in the end", target{p99: 5 * time.Second, always: 8 * time.Second}, s.since())
	s.eventually(60*time.Second, "goroutines, descriptors and heap are back", func() error {
		for _, n := range c.all {
			was, ok := before[n.name]
			if !ok {
				continue
			}
			now, err := n.resources()
			if err != nil {
				return err
			}
			if now.goroutines > was.goroutines+spareGoroutines || now.descriptors > was.descriptors+spareDescriptors || now.heap > was.heap+spareHeap {
				return fmt.Errorf("%s: %+v, was %+v", n.name, now, was)
			}
		}
		return nil
	})
}
