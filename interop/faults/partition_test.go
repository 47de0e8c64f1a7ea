package faults_test

import (
	"errors"
	"testing"
	"time"
)

// partitioned is a cluster of machines on a switch.
func partitioned(s *story, nodes ...string) (*members, map[string]*host) {
	n := s.network()
	hosts := map[string]*host{}
	hosts["store"] = n.host("store")
	c := &members{s: s, store: s.startEtcd(1, hosts["store"])}
	for _, spec := range nodes {
		h := n.host(spec[:2])
		hosts[h.name] = h
		c.launch(spec, h)
	}
	c.ready()
	return c, hosts
}

// noticed waits until a node has logged that it has given up, and returns when that was.
func (s *story) noticed(within time.Duration, said string) time.Duration {
	s.t.Helper()
	s.eventually(within, "it has been noticed", func() error {
		if s.happened(said) == 0 {
			return errors.New("nobody says " + said)
		}
		return nil
	})
	return s.since()
}

var noticeTarget = target{p99: 2 * time.Second, always: 4 * time.Second}

// An origin's cable is pulled: nobody gets a reset. Its publisher goes on at another
// one, and the edge finds it there.
func TestSilentPartitionOfAnOrigin(t *testing.T) {
	tell(t, "silent partition of the origin from everybody", func(s *story) {
		c, hosts := partitioned(s, "f1:front", "o1:origin", "e1:edge")
		p := s.publish(c.node("f1"), "alice")
		o2 := hosts["o1"].n.host("o2")
		c.launch("o2:origin", o2).ready()
		c.settled()
		viewers := []*viewer{s.watch(c.node("e1"), "alice")}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		s.fault("the cable of o1 is pulled", hosts["o1"].cut)
		s.gap("noticed", noticeTarget, s.noticed(20*time.Second, `"pull ended"`))
		s.sees(viewers, 3*time.Second, 20*time.Second)
		s.gap("longest viewer gap", target{p99: 3500 * ms, always: 6 * time.Second}, gaps(viewers)...)
		s.note("the cable of o1 is back")
		hosts["o1"].mend()
		s.eventually(15*time.Second, "everybody agrees on o2", c.truth(map[string]string{"alice": "o2"}))
		s.sees(viewers, time.Second, 10*time.Second)
		s.zero("publisher closes", closes(p))
		s.clean(viewers, true)
		s.eventually(10*time.Second, "one pull", c.pulled("f1", "alice", "e1"))
	})
}

// Packets between one origin and one edge vanish, both ways; everybody else sees both.
func TestSilentPartitionBetweenOriginAndEdge(t *testing.T) {
	tell(t, "silent partition between origin and edge", func(s *story) {
		c, hosts := partitioned(s, "f1:front", "o1:origin", "e1:edge", "e2:edge")
		p := s.publish(c.node("f1"), "alice")
		cutOff, other := []*viewer{s.watch(c.node("e1"), "alice")}, []*viewer{s.watch(c.node("e2"), "alice")}
		both := append(cutOff[:1:1], other...)
		s.sees(both, 2*time.Second, 10*time.Second)
		o1, e1 := hosts["o1"], hosts["e1"]
		s.fault("o1 and e1 do not reach each other", func() {
			o1.lose(e1)
			e1.lose(o1)
		})
		s.gap("noticed", noticeTarget, s.noticed(20*time.Second, `"pull ended"`))
		s.passes(2 * time.Second)
		s.gap("gap at the other edge", target{p99: 200 * ms, always: 2 * time.Second}, gaps(other)...)
		healed := time.Now()
		s.note("o1 and e1 reach each other")
		o1.find(e1)
		e1.find(o1)
		before := cutOff[0].count()
		s.eventually(20*time.Second, "the edge resumes", func() error { return cutOff[0].seen(before + 1)() })
		s.gap("resumed after healing", target{p99: 6 * time.Second, always: 12 * time.Second}, time.Since(healed))
		s.sees(both, 2*time.Second, 10*time.Second)
		s.zero("publisher closes", closes(p))
		s.clean(both, false)
		s.eventually(10*time.Second, "one pull for each edge", c.pulled("f1", "alice", "e1", "e2"))
	})
}
