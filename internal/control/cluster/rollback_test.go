package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// P2: a store that comes back a moment older, with a claim missing, is found out, however
// short the moment; and so is one that has been written since up to where it was.
func TestP2AShortRollbackIsFoundOut(t *testing.T) {
	for gap := time.Duration(0); gap < 5*time.Second; gap += 100 * time.Millisecond {
		for _, others := range []int{0, 1, 5} {
			t.Run(fmt.Sprintf("%v back, %d other writes", gap, others), func(t *testing.T) {
				bubble(t, func(t *testing.T, m *store.Memory) {
					a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
					hc := handle(t, m)
					c := join(t, hc, "c") // it hears of nothing that is written now
					elapse(3 * time.Second)
					hc.Partition(true)
					copied := m.Snapshot()
					o := claim(t, a, alice)
					before := o.Epoch()
					time.Sleep(gap)
					m.Restore(copied)
					hc.Partition(false)
					if others > 0 {
						// A node that has not heard of the claim takes its place, and its revision.
						if stolen, err := c.Claim(t.Context(), alice, cluster.Facts{}); err == nil && stolen.Epoch() == before && isLost(o) {
							t.Errorf("both have %v", before)
						}
					}
					for i := range others - 1 {
						if _, err := c.Claim(t.Context(), stream.Name{App: "live", Stream: fmt.Sprint(i)}, cluster.Facts{}); err != nil {
							t.Fatal(err)
						}
					}
					elapse(10 * time.Second)
					who, epoch := owner(t, b, alice)
					kv, err := m.Get(t.Context(), cluster.DefaultPrefix+"streams/live/alice")
					if err != nil || who == "" {
						t.Fatalf("the store has no owner (%v), b says %q", err, who)
					}
					if isLost(o) == (who == "a") || who == "a" && (epoch != o.Epoch() || epoch == before && kv.Lease == 0) {
						t.Errorf("a has it: %v; b says %q has %v, a had %v and has %v", !isLost(o), who, epoch, before, o.Epoch())
					}
					if epoch == before {
						t.Errorf("%v has been issued twice, or its record is gone: %s", before, kv.Value)
					}
				})
			})
		}
	}
}
