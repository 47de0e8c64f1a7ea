package faults_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"weir/internal/proctest"
)

// P2: a node that is a member of the store has its processors full of viewers. Its heartbeat comes
// through all the same: it keeps its lease, and everybody's streams stay where they are.
func TestP2HeartbeatBesideBusyPumps(t *testing.T) {
	tell(t, "heartbeat beside busy pumps", func(s *story) {
		c := s.embedded(nil, "n1:origin+edge", "n2:origin+edge", "n3:origin+edge")
		n1, n2 := c.node("n1"), c.node("n2")
		publishers := []*publisher{s.publish(n1, "alice"), s.publish(n2, "bob")}
		viewers := []*viewer{s.watch(n1, "alice"), s.watch(n2, "alice"), s.watch(n1, "bob")}
		heavy := s.runWeir("bench", "publish", "--bitrate", "8000", n1.url("heavy"))
		owners := map[string]string{}
		for _, name := range []string{"alice", "bob", "heavy"} {
			owners[name] = c.owner("n1", name).name
		}
		s.eventually(10*time.Second, "all agree before", c.registry(owners))
		before, err := c.store.leases()
		if err != nil {
			t.Fatal(err)
		}
		s.sees(viewers, time.Second, 10*time.Second)

		var loads []*proctest.Process
		s.fault("viewers, as many as fill the machine", func() {
			const each, most = 200, 4000
			for n := each; ; n += each {
				loads = append(loads, s.runWeir("bench", "play", "-n", fmt.Sprint(each), "--sample", "0", "--for", "0", n1.url("heavy")))
				if !*full {
					break
				}
				u := use(n1.proc, loads...)
				s.passes(2 * time.Second)
				idle, node, their := u.shares()
				s.note("%d viewers: %.0f %% of the machine are in the node, %.0f %% in them, %.0f %% idle", n, 100*node, 100*their, 100*idle)
				// The rest is the other two nodes', this test's and the kernel's.
				if idle < 0.03 && node+their > 0.6 {
					break
				}
				if n == most {
					t.Fatalf("%d viewers do not fill the machine", n)
				}
			}
		})
		u := use(n1.proc, loads...)
		unheard := 0
		// Longer than a lease.
		s.during(scale(6*time.Second, 15*time.Second), "leases and owners stay", func() error {
			now, err := c.store.leases()
			if err != nil {
				unheard++ // the test is starved too
				return nil
			}
			if !maps.Equal(now, before) {
				return fmt.Errorf("the leases are %v, were %v", now, before)
			}
			return nil
		})
		idle, node, their := u.shares()
		s.figure("machine idle", "%", target{}, 100*idle)
		s.figure("machine in the busy node", "%", target{}, 100*node)
		s.figure("machine in its viewers", "%", target{}, 100*their)
		s.figure("questions to the store that took 2 s", "", target{always: -ms}, float64(unheard))
		late := time.Now()
		publishers = append(publishers, s.publish(n1, "late"))
		owners["late"] = c.owner("n2", "late").name
		s.gap("a new stream is known elsewhere", target{p99: 2 * time.Second, always: 10 * time.Second}, time.Since(late))
		s.eventually(10*time.Second, "the registry is right", c.registry(owners))
		s.zero("leases lost", s.happened("the node's lease is lost"))
		s.zero("streams lost", s.happened(`"ownership lost"`))
		s.zero("store lost", s.happened(`"store lost"`))
		s.zero("publisher closes", closes(publishers...))
		for _, l := range loads {
			if !l.Running() {
				t.Errorf("the viewers have left: %s", l.Log.Tail(500))
			}
			l.Kill()
		}
		if !heavy.Running() {
			t.Errorf("the publisher has left: %s", heavy.Log.Tail(500))
		}
		s.sees(viewers, time.Second, 10*time.Second)
		s.clean(viewers, false)
	})
}

// runWeir starts a command of weir that goes on until the test ends.
func (s *story) runWeir(args ...string) *proctest.Process {
	s.t.Helper()
	binary, err := weirBinary()
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := proctest.Start(new(proctest.Log), append([]string{binary}, args...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Kill)
	return p
}
