package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// P3: an origin is drained that has publishers of its own, without a front. Those that
// announced the reconnect request of enhanced RTMP go where they are told, and their viewers
// miss nothing; those that did not stay, and the drain waits for them.
func TestP3DrainAsksDirectPublishersToReconnect(t *testing.T) {
	tell(t, "drain of an origin with publishers that announced reconnecting", func(s *story) {
		c := s.cluster(1, "o1:origin", "o2:origin", "e1:edge")
		o1, o2, e1 := c.node("o1"), c.node("o2"), c.node("e1")
		var moving []*publisher
		var viewers []*viewer
		for i := range scale(5, 20) {
			p := s.publishMoving(o1, fmt.Sprint("moves", i))
			moving = append(moving, p)
			viewers = append(viewers, s.watch(e1, p.name))
		}
		stays := s.publish(o1, "stays")
		viewers = append(viewers, s.watch(e1, stays.name))
		s.sees(viewers, 2*time.Second, 10*time.Second)

		drained := make(chan time.Duration, 1)
		s.fault("drain of o1", func() { go func() { drained <- o1.drain(o2, "--window", "1s") }() })
		owners := map[string]string{"stays": "o1"}
		for _, p := range moving {
			owners[p.name] = "o2"
		}
		s.eventually(15*time.Second, "who can has moved", c.truth(owners))
		s.sees(viewers, 2*time.Second, 10*time.Second)
		for _, p := range moving {
			p.mu.Lock()
			moved := strings.Join(p.moved, " ")
			p.mu.Unlock()
			if want := "rtmp://" + o2.listening["rtmp"] + "/" + app; moved != want {
				t.Errorf("%s was told to go to %q, want %q", p.name, moved, want)
			}
		}
		select {
		case <-drained:
			t.Error("the drain did not wait for the publisher that cannot move")
		default:
		}
		s.zero("publisher closes", closes(append(moving, stays)...))
		s.gap("viewer gap", target{p99: 250 * ms, always: 2 * time.Second}, gaps(viewers)...)
		s.clean(viewers, true)
		stays.leave()
		select {
		case <-drained:
		case <-time.After(10 * time.Second):
			t.Error("o1 is empty, and the drain goes on")
		}
	})
}
