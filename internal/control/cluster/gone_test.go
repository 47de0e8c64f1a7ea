package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
)

// Every node hears of each stream that ends, with where it was, and of nothing else.
func TestAllHearOfStreamsThatEnd(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var heard []cluster.StreamRecord
		a := join(t, handle(t, m), "a")
		join(t, handle(t, m), "b", func(o *cluster.Options) { o.Gone = func(r cluster.StreamRecord) { heard = append(heard, r) } })
		o, err := a.Claim(t.Context(), alice, cluster.Facts{Backend: "x1"})
		if err != nil {
			t.Fatal(err)
		}
		o.Update(cluster.Facts{Backend: "x2"})
		elapse(2 * time.Second)
		if len(heard) != 0 {
			t.Fatalf("heard of %v", heard)
		}
		o.Release(t.Context())
		synctest.Wait()
		if len(heard) != 1 || heard[0].Name != alice || heard[0].Owner != "a" || heard[0].Facts.Backend != "x2" {
			t.Errorf("heard of %+v", heard)
		}
	})
}
