package cluster_test

import (
	"testing"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
)

// The second question about an absent name is answered from memory, and counted.
func TestAbsentNameIsAskedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var rec event.Recorder
		c := join(t, m, "edge-1", func(o *cluster.Options) { o.Emit = rec.Sink })
		for range 3 {
			if _, ok, err := c.Owner(t.Context(), alice); ok || err != nil {
				t.Fatalf("%v %v", ok, err)
			}
		}
		hits := event.Of[event.LimitHit](&rec)
		if len(hits) != 2 || hits[0].Reason != event.NegativeCached || hits[0].Stream != alice.Stream {
			t.Errorf("three questions gave\n%s", &rec)
		}
	})
}
