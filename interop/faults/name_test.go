package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// P3: an operator starts a second process under the name of a running node, on another
// port of the same machine. It says what is wrong and ends; the running one, its publisher
// and its viewers notice nothing. A process that has crashed is no reason not to start.
func TestP3ANameInUseIsRefused(t *testing.T) {
	tell(t, "a second process under a running node's name", func(s *story) {
		c := s.cluster(1, "o1:origin", "e1:edge")
		o1 := c.node("o1")
		p := s.publish(o1, "alice")
		viewers := []*viewer{s.watch(c.node("e1"), "alice"), s.watch(o1, "alice")}
		s.sees(viewers, time.Second, 10*time.Second)
		s.fault("a second o1", func() {
			twin := c.process("o1:origin", nil)
			s.eventually(10*time.Second, "the second o1 has given up", twin.ended)
			said := strings.ReplaceAll(twin.proc.Log.Tail(2000), `\"`, `"`) // its log is JSON
			for _, want := range []string{`another process runs as node "o1": it answers`, o1.listening["rtmp"], "--name"} {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
			if twin.proc.Err == nil {
				t.Error("it ended as if all were well")
			}
		})
		s.sees(viewers, scale(time.Second, 7*time.Second), 20*time.Second) // longer than a displaced node holds on
		s.zero("publisher closes", closes(p))
		s.gap("viewer gap", target{p99: 200 * ms, always: 2 * time.Second}, gaps(viewers)...)
		s.clean(viewers, true)
		if lost := s.happened("ownership lost"); lost != 0 {
			t.Errorf("%d streams were lost", lost)
		}

		var again []time.Duration
		for range scale(1, 3) {
			s.fault("kill -9 of o1 and a start on its name", func() {
				o1.kill()
				began := time.Now()
				o1.restart()
				again = append(again, time.Since(began))
			})
		}
		o1.kill() // and elsewhere: a machine that is replaced
		began := time.Now()
		other := c.process("o1:origin", nil)
		other.ready()
		again = append(again, time.Since(began))
		s.gap("ready after a crash", target{p99: time.Second, always: 3 * time.Second}, again...)
		s.eventually(10*time.Second, "e1 knows the new o1", func() error {
			nodes, err := c.node("e1").nodes()
			if err != nil {
				return err
			}
			for _, n := range nodes {
				if n.Name == "o1" && n.Addresses.RTMP == other.listening["rtmp"] {
					return nil
				}
			}
			return fmt.Errorf("%+v", nodes)
		})
	})
}
