package faults_test

import (
	"testing"
	"time"
)

// P3: every node is restarted, one at a time, each drained first.
func TestP3RollingRestart(t *testing.T) {
	tell(t, "rolling restart of all nodes, one at a time by drain", func(s *story) {
		c := s.cluster(1, "f1:front", "f2:front", "o1:origin", "o2:origin", "e1:edge", "e2:edge")
		at := map[string]*publisher{}
		for _, f := range []string{"f1", "f2"} {
			at[f] = s.publishAgain(reconnect/2, "by-"+f, c.node(f), c.node(map[string]string{"f1": "f2", "f2": "f1"}[f]))
		}
		var viewers []*viewer
		for _, f := range []string{"f1", "f2"} {
			viewers = append(viewers, s.watch(c.node(f), "by-f1"), s.watch(c.node(f), "by-f2"))
		}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		for _, name := range []string{"o1", "o2", "e1", "e2"} {
			n := c.node(name)
			s.fault("rolling restart of "+name, func() { n.drain(c.node("f1"), "--window", "1s") })
			n.stop()
			n.restart()
			c.settled()
			s.sees(viewers, time.Second, 10*time.Second)
			s.gap("viewer gap, restart of "+n.roles, target{p99: 250 * ms, always: 2 * time.Second}, gaps(viewers)...)
		}
		s.zero("publisher closes while their front lives", closes(at["f1"], at["f2"]))
		s.zero("servers that failed a session", s.happened(`"backend failed"`))
		s.clean(viewers, true)

		// A front's own clients are its to lose: publishers that announced no
		// reconnect request come back elsewhere by themselves.
		for i, f := range []string{"f1", "f2"} {
			n := c.node(f)
			other := at[map[string]string{"f1": "f2", "f2": "f1"}[f]]
			before := other.closes()
			s.fault("restart of "+f, n.stop)
			n.restart()
			c.settled()
			s.eventually(15*time.Second, "both are on air", each([]*publisher{at["f1"], at["f2"]}, (*publisher).onAir))
			if i == 0 { // after it both publishers are at f2
				s.zero("publisher closes while their front lives, restart of "+f, other.closes()-before)
			}
		}
		again := []*viewer{s.watch(c.node("f1"), "by-f1"), s.watch(c.node("f2"), "by-f2")}
		s.sees(again, 2*time.Second, 10*time.Second)
	})
}
