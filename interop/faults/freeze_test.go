package faults_test

import (
	"fmt"
	"testing"
	"time"
)

// P1: an owner that is frozen past every timeout, and wakes up with what it held, says
// nothing that anybody hears.
func TestP1FrozenOwnerWakesUp(t *testing.T) {
	tell(t, "SIGSTOP of the owner past every timeout, another takes over, SIGCONT", func(s *story) {
		c := s.cluster(1, "front:front", "o1:origin", "e1:edge", "e2:edge")
		carried := s.publish(c.node("front"), "carried")
		direct := s.publish(c.node("o1"), "direct")
		c.launch("o2:origin", nil).ready()
		c.settled()
		var viewers []*viewer
		for _, name := range []string{"carried", "direct"} {
			for _, at := range []string{"e1", "e2", "front"} {
				viewers = append(viewers, s.watch(c.node(at), name))
			}
		}
		s.sees(viewers, 2*time.Second, 10*time.Second)
		s.fault("SIGSTOP of o1, the owner of both", c.node("o1").freeze)
		// The encoder gives up on the frozen server and goes elsewhere. What it had
		// sent, its goodbye included, is what o1 wakes up to.
		s.passes(scale(3*time.Second, 5*time.Second))
		direct.leave()
		direct.comeBack(c.node("o2"))
		s.sees(viewers, 2*time.Second, 20*time.Second)
		s.gap("viewer gap, publisher through a front", target{p99: 3500 * ms, always: 6 * time.Second}, gaps(viewers[:3])...)
		var before []string
		for _, name := range []string{"carried", "direct"} {
			rec, err := c.node("front").stream(name)
			if err != nil || rec.Owner != "o2" {
				t.Errorf("%s is owned by %q, not o2 (%v)", name, rec.Owner, err)
			}
			before = append(before, rec.Epoch)
		}
		s.eventually(15*time.Second, "o1's lease has run out", func() error {
			if nodes, err := c.node("front").nodes(); err != nil || len(nodes) != 4 {
				return fmt.Errorf("%d nodes: %v", len(nodes), err)
			}
			return nil
		})
		s.fault("SIGCONT of o1", c.node("o1").thaw)
		stable := func() error {
			for i, name := range []string{"carried", "direct"} {
				if rec, err := c.node("e1").stream(name); err != nil || rec.Owner != "o2" || rec.Epoch != before[i] {
					return fmt.Errorf("%s is owned by %q under %s, was o2 under %s (%v)", name, rec.Owner, rec.Epoch, before[i], err)
				}
			}
			return nil
		}
		s.during(4*time.Second, "the owner stays", stable)
		s.sees(viewers, time.Second, 10*time.Second)
		s.zero("publisher closes", closes(carried, direct))
		s.gap("viewer gap after SIGCONT", target{p99: 250 * ms, always: 2 * time.Second}, gaps(viewers)...)
		s.clean(viewers, false)
		s.eventually(15*time.Second, "o1 is back and says the same", c.truth(map[string]string{"carried": "o2", "direct": "o2"}))
	})
}
