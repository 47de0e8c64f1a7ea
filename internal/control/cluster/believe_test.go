package cluster_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// P1: an epoch that no store has issued fences nobody.
func TestP1ForgedEpochsAreNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		he := handle(t, m)
		a, edge := join(t, handle(t, m), "a"), join(t, he, "edge")
		o := claim(t, a, alice)
		other := stream.Name{App: "live", Stream: "other"}
		higher := func(incarnation, rev uint64) stream.Epoch {
			e := o.Epoch()
			return stream.Epoch{Incarnation: e.Incarnation + incarnation, Revision: e.Revision + rev}
		}
		check := func(what string, name stream.Name, e stream.Epoch, want bool) {
			t.Helper()
			began := time.Now()
			if err := edge.Believe(t.Context(), name, e); (err == nil) != want || err != nil && !errors.Is(err, cluster.ErrNotIssued) {
				t.Errorf("%s: %v believed: %v", what, e, err)
			}
			if took := time.Since(began); took > 250*time.Millisecond {
				t.Errorf("%s: took %v", what, took)
			}
		}
		check("the owner's, before the watch has told", alice, o.Epoch(), true)
		synctest.Wait()
		check("the owner's", alice, o.Epoch(), true)
		check("one above the owner's", alice, higher(0, 1), false)
		check("a higher incarnation", alice, higher(1, 0), false)
		check("unconfirmed", alice, stream.Epoch{}, true)
		check("without a record, as far as the store is", other, higher(0, 0), true)
		check("without a record, further", other, higher(0, 1<<40), false)
		check("without a record, a higher incarnation", other, higher(1, 0), false)

		he.Partition(true) // from the edge; the others go on
		elapse(3 * time.Second)
		check("the owner's, from memory", alice, o.Epoch(), true)
		n := o.Epoch()
		if _, err := a.TakeOver(t.Context(), alice, cluster.Facts{}, n); err != nil {
			t.Fatal(err)
		}
		check("a new owner's that it cannot have heard of", alice, higher(0, 40), true)
		check("more than a store can have written", alice, higher(0, 1<<40), false)
		check("a higher incarnation", alice, higher(1, 0), false)
	})
}
