package faults_test

import (
	"testing"
	"time"
)

// Packets of the origin to one edge vanish, or those of the edge to it; what goes the other way
// arrives, and everybody else sees both.
func TestBlackholeBetweenOriginAndEdge(t *testing.T) {
	beside(t)
	for _, way := range [][2]string{{"o1", "e1"}, {"e1", "o1"}} {
		from, to := way[0], way[1]
		t.Run(from+" to "+to, func(t *testing.T) {
			tell(t, map[string]string{"o1": "blackhole from the origin to an edge", "e1": "blackhole from an edge to the origin"}[from], func(s *story) {
				c, hosts := partitioned(s, "f1:front", "o1:origin", "e1:edge", "e2:edge")
				p := s.publish(c.node("f1"), "alice")
				cutOff, other := []*viewer{s.watch(c.node("e1"), "alice")}, []*viewer{s.watch(c.node("e2"), "alice")}
				both := append(cutOff[:1:1], other...)
				s.sees(both, 2*time.Second, 10*time.Second)
				s.fault("what "+from+" sends to "+to+" vanishes", func() { hosts[from].lose(hosts[to]) })
				s.gap("noticed", noticeTarget, s.noticed(20*time.Second, `"pull ended"`))
				s.passes(2 * time.Second)
				s.gap("gap at the other edge", target{p99: 200 * ms, always: 2 * time.Second}, gaps(other)...)
				healed := time.Now()
				s.note("%s reaches %s", from, to)
				hosts[from].find(hosts[to])
				before := cutOff[0].count()
				s.eventually(20*time.Second, "the edge resumes", func() error { return cutOff[0].seen(before + 1)() })
				s.gap("resumed after healing", target{p99: 6 * time.Second, always: 12 * time.Second}, time.Since(healed))
				s.sees(both, 2*time.Second, 10*time.Second)
				s.zero("publisher closes", closes(p))
				s.clean(both, false)
				s.eventually(10*time.Second, "one pull for each edge", c.pulled("f1", "alice", "e1", "e2"))
			})
		})
	}
}

// The same between a front that carries a publisher and its origin, which everybody else reaches, the
// store too. The publisher goes on at another origin; the first one says nothing that anybody hears.
func TestBlackholeBetweenFrontAndOrigin(t *testing.T) {
	beside(t)
	for _, way := range [][2]string{{"o1", "f1"}, {"f1", "o1"}} {
		from, to := way[0], way[1]
		t.Run(from+" to "+to, func(t *testing.T) {
			tell(t, map[string]string{"o1": "blackhole from the origin to a front", "f1": "blackhole from a front to the origin"}[from], func(s *story) {
				c, hosts := partitioned(s, "f1:front", "o1:origin", "e1:edge")
				p := s.publish(c.node("f1"), "alice")
				bob := s.publish(c.node("o1"), "bob") // its own, which has nothing to do with it
				c.launch("o2:origin", hosts["o1"].n.host("o2")).ready()
				c.settled()
				viewers, others := []*viewer{s.watch(c.node("e1"), "alice")}, []*viewer{s.watch(c.node("e1"), "bob")}
				s.sees(append(viewers[:1:1], others...), 2*time.Second, 10*time.Second)
				s.fault("what "+from+" sends to "+to+" vanishes", func() { hosts[from].lose(hosts[to]) })
				s.gap("noticed", noticeTarget, s.noticed(20*time.Second, `"backend failed"`))
				s.sees(viewers, 3*time.Second, 20*time.Second)
				s.gap("longest viewer gap", target{p99: 3500 * ms, always: 6 * time.Second}, gaps(viewers)...)
				s.note("%s reaches %s", from, to)
				hosts[from].find(hosts[to])
				truth := c.truth(map[string]string{"alice": "o2", "bob": "o1"})
				s.eventually(15*time.Second, "everybody agrees on o2", truth)
				s.during(2*time.Second, "the owner stays", truth)
				s.sees(viewers, time.Second, 10*time.Second)
				s.gap("gap of the other stream", target{p99: 200 * ms, always: 2 * time.Second}, gaps(others)...)
				s.zero("publisher closes", closes(p, bob))
				s.clean(append(viewers, others...), true)
				s.eventually(10*time.Second, "one pull", c.pulled("f1", "alice", "e1"))
			})
		})
	}
}
