package cluster_test

import (
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
)

// A stream that is moved to another foreign server keeps its owner and epoch; whoever
// follows it hears of it nevertheless, at its owner at once.
func TestSubscribersHearOfAnotherForeignServer(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, m, "a"), join(t, m, "b")
		own, err := a.Claim(t.Context(), alice, cluster.Facts{Backend: "nginx1"})
		if err != nil {
			t.Fatal(err)
		}
		elapse(time.Second)
		here, there := a.OwnerChanges(alice), b.OwnerChanges(alice)
		defer here.Close()
		defer there.Close()
		drain := func(s *cluster.Subscription) (last string) {
			for {
				select {
				case ch := <-s.C:
					last = ch.Record.Facts.Backend
				default:
					return last
				}
			}
		}
		drain(here)
		drain(there)
		own.Update(cluster.Facts{Backend: "nginx2"})
		if got := drain(here); got != "nginx2" {
			t.Errorf("the owner's own subscriber heard %q", got)
		}
		elapse(2 * time.Second)
		if got := drain(there); got != "nginx2" {
			t.Errorf("the other node's subscriber heard %q", got)
		}
		drain(here) // the store says it too
		own.Update(cluster.Facts{Backend: "nginx2", BitrateBPS: 1e6})
		elapse(2 * time.Second)
		if n := len(here.C) + len(there.C); n != 0 {
			t.Errorf("%d changes are told of a bitrate", n)
		}
	})
}
