package faults_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// P3, P6: an edge is killed with its viewers behind a front. They are back at once, at
// another edge, and that one pulls once.
func TestEdgeKilledBehindAFront(t *testing.T) {
	tell(t, "kill -9 of an edge with 500 viewers behind a front", func(s *story) {
		c := s.cluster(1, "front:front", "o1:origin", "e1:edge")
		s.publish(c.node("o1"), "alice")
		behind := s.crowd(scale(60, 500), c.node("front"), "alice", 200*ms)
		c.launch("e2:edge", nil).ready()
		c.launch("e3:edge", nil).ready()
		c.settled()
		others := []*viewer{s.watch(c.node("e2"), "alice"), s.watch(c.node("e3"), "alice")}
		s.sees(slices.Concat(behind, others), 2*time.Second, 20*time.Second)
		s.fault("kill -9 of e1", c.node("e1").kill)
		s.sees(slices.Concat(behind, others), 3*time.Second, 20*time.Second)

		s.gap("back", target{p99: time.Second, always: 4 * time.Second}, gaps(behind)...)
		s.gap("gap at other edges", target{p99: 200 * ms, always: 2 * time.Second}, gaps(others)...)
		s.clean(slices.Concat(behind, others), true)
		s.eventually(15*time.Second, "one pull for each edge", c.pulled("front", "alice", "e2", "e3"))
		s.onePull("alice", "e2", "e3")
	})
}

// onePull checks that each of the nodes has begun to pull the stream once.
func (s *story) onePull(name string, at ...string) {
	s.t.Helper()
	for _, n := range at {
		s.zero("pulls beyond the one at "+n, s.happened(`"pull started"`, fmt.Sprintf(`"node":%q`, n), fmt.Sprintf(`"stream":%q`, name))-1)
	}
}

// P6: viewers rush into an edge that does not have the stream.
func TestP6CrowdJoinsAColdEdge(t *testing.T) {
	tell(t, "500 viewers join a cold edge within 1 s", func(s *story) {
		c := s.cluster(1, "o1:origin", "e1:edge")
		s.publish(c.node("o1"), "alice")
		before := []*viewer{s.watch(c.node("o1"), "alice")} // there is a GOP to start from
		s.sees(before, 2*time.Second, 10*time.Second)
		n := scale(100, 500)
		var crowd []*viewer
		s.fault("the crowd comes", func() {
			tick := time.NewTicker(time.Second / time.Duration(n))
			defer tick.Stop()
			for i := range n {
				crowd = append(crowd, s.join(c.node("e1").url("alice"), fmt.Sprint("alice at e1 #", i), 0))
				<-tick.C
			}
		})
		s.sees(crowd, 2*time.Second, 20*time.Second)
		var first []time.Duration
		for _, v := range crowd {
			first = append(first, v.first)
		}
		s.gap("first key frame", target{p99: 300 * ms, always: 3 * time.Second}, first...)
		s.clean(slices.Concat(crowd, before), true)
		s.eventually(10*time.Second, "one pull", c.pulled("o1", "alice", "e1"))
		s.onePull("alice", "e1")
	})
}
