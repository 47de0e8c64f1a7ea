package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// far is a store some way off.
type far struct {
	*store.Memory
	way time.Duration
}

func (f far) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	select {
	case <-time.After(f.way):
		return f.Memory.Txn(ctx, conds, ops)
	case <-ctx.Done():
		return false, 0, nil, &store.UnavailableError{Op: "txn", Err: ctx.Err()}
	}
}

// An edge that carries thousands writes them, all at once after a lost lease, in a time that
// does not make a store that is well look lost.
func TestThousandsOfPullsAreWrittenInTime(t *testing.T) {
	const many = 2000
	bubble(t, func(t *testing.T, m *store.Memory) {
		var heard event.Recorder
		own := handle(t, m)
		edge := join(t, far{own, 5 * time.Millisecond}, "edge", recorded(&heard))
		name := func(i int) stream.Name { return stream.Name{App: "live", Stream: fmt.Sprint(i)} }
		records := func() int {
			kvs, _, err := m.List(t.Context(), cluster.DefaultPrefix+"pulls/")
			if err != nil {
				t.Fatal(err)
			}
			return len(kvs)
		}
		for i := range many {
			edge.PullStarted(name(i))
		}
		elapse(time.Second)
		if n := records(); n != many {
			t.Errorf("%d records", n)
		}
		own.Partition(true) // for longer than the lease
		elapse(8 * time.Second)
		if n := records(); n != 0 {
			t.Errorf("%d records without a lease", n)
		}
		lost := len(event.Of[event.StoreLost](&heard))
		own.Partition(false)
		elapse(4 * time.Second)
		if n := records(); n != many {
			t.Errorf("%d records after the lease was lost", n)
		}
		for i := range many {
			edge.PullEnded(name(i))
		}
		elapse(time.Second)
		if n := records(); n != 0 {
			t.Errorf("%d records of pulls that have ended", n)
		}
		if n := len(event.Of[event.StoreLost](&heard)); n != lost || lost != 1 {
			t.Errorf("the store was lost %d times, cut once", n)
		}
	})
}
