package faults_test

import (
	"testing"
	"time"
)

// carriedGap is what the viewers of a carried publisher may miss when its origin dies.
var carriedGap = target{p50: 300 * ms, p99: 1200 * ms, always: 3 * time.Second}

// P3: kill -9 of the owning origin. A publisher that came through a front notices
// nothing, its viewers little.
func TestP3OriginKilledPublisherThroughAFront(t *testing.T) {
	tell(t, "kill -9 of the owning origin, publisher through a front", func(s *story) {
		c := s.cluster(1, "front:front", "o1:origin", "o2:origin", "e1:edge", "e2:edge")
		p := s.publish(c.node("front"), "alice")
		var viewers []*viewer
		for _, at := range []string{"e1", "e2", "front"} {
			viewers = append(viewers, s.watch(c.node(at), "alice"))
		}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		owner := c.owner("front", "alice")
		s.fault("kill -9 of the owner "+owner.name, owner.kill)
		s.sees(viewers, 4*time.Second, 20*time.Second)

		s.zero("publisher closes", closes(p))
		s.gap("longest viewer gap", carriedGap, gaps(viewers)...)
		s.clean(viewers, false)
		if now := c.owner("front", "alice"); now == owner {
			t.Errorf("%s is dead and still the owner", now.name)
		}
		s.eventually(10*time.Second, "one pull for each edge", c.pulled("front", "alice", "e1", "e2"))
	})
}

// reconnect is when a direct publisher comes back after it was closed.
const reconnect = 2 * time.Second

// The same for a publisher that was connected to the origin itself and comes back by
// itself: its viewers wait for it.
func TestP3OriginKilledPublisherDirect(t *testing.T) {
	tell(t, "kill -9 of the owning origin, publisher direct", func(s *story) {
		c := s.cluster(1, "o1:origin", "o2:origin", "e1:edge", "e2:edge")
		s.publishAgain(reconnect, "alice", c.node("o1"), c.node("o2"))
		viewers := []*viewer{s.watch(c.node("e1"), "alice"), s.watch(c.node("e2"), "alice"), s.watch(c.node("o2"), "alice")}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		s.fault("kill -9 of the owner o1", c.node("o1").kill)
		s.sees(viewers, 3*time.Second, 20*time.Second)

		s.gap("longest viewer gap", target{p99: reconnect + 1200*ms, always: reconnect + 4*time.Second}, gaps(viewers)...)
		s.clean(viewers, false)
		if now := c.owner("e1", "alice"); now.name != "o2" {
			t.Errorf("%s owns the stream, not o2", now.name)
		}
	})
}

// P3: an origin is drained with publishers on air. Nobody notices.
func TestP3DrainOfAnOrigin(t *testing.T) {
	tell(t, "drain of an origin with 50 publishers through fronts", func(s *story) {
		c := s.cluster(1, "f1:front", "f2:front", "o1:origin", "e1:edge", "e2:edge")
		publishers := s.several(scale(10, 50), "cam", c.node("f1"), c.node("f2"))
		var viewers []*viewer
		for i, p := range publishers {
			viewers = append(viewers, s.watch(c.node([]string{"e1", "e2"}[i%2]), p.name))
		}
		c.launch("o2:origin", nil).ready()
		c.settled()
		s.sees(viewers, 2*time.Second, 20*time.Second)
		var took time.Duration
		s.fault("drain of o1", func() { took = c.node("o1").drain(c.node("f1")) })
		s.sees(viewers, 3*time.Second, 20*time.Second)

		s.zero("publisher closes", closes(publishers...))
		s.gap("viewer gap", target{p99: 250 * ms, always: 2 * time.Second}, gaps(viewers)...)
		s.zero("servers that failed a session", s.happened(`"backend failed"`))
		s.gap("node empty", target{p99: 3 * time.Second, always: 10 * time.Second}, took)
		s.clean(viewers, true)
		owners := map[string]string{}
		for _, p := range publishers {
			owners[p.name] = "o2"
		}
		s.eventually(20*time.Second, "o2 owns all", c.truth(owners))
	})
}
