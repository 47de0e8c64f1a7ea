package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
)

// sluggish is a store whose transactions take a while.
type sluggish struct {
	store.Store
	by atomic.Int64 // a time.Duration
}

func (s *sluggish) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	select {
	case <-time.After(time.Duration(s.by.Load())):
	case <-ctx.Done():
	}
	return s.Store.Txn(ctx, conds, ops)
}

// A context's deadline says by when a claim has to have begun: what has begun is granted, and not given back because it took
// longer. Who has gone meanwhile gets nothing.
func TestADeadlineDoesNotCutAClaimOff(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		s := &sluggish{Store: handle(t, m)}
		a := join(t, s, "a")
		synctest.Wait() // what it writes at the start is written: a claim would wait for it
		s.by.Store(int64(400 * time.Millisecond))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		o, err := a.Claim(ctx, alice, cluster.Facts{})
		if err != nil {
			t.Fatalf("a claim that had begun: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if o, err = a.TakeOver(ctx, alice, cluster.Facts{}, o.Epoch()); err != nil {
			t.Fatalf("a take-over that had begun: %v", err)
		}
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Claim(ctx, alice, cluster.Facts{}); err == nil {
			t.Error("a claim that begins too late")
		}
		gone, leave := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, leave)
		if _, err := a.Claim(gone, alice, cluster.Facts{}); err == nil {
			t.Error("a claim for somebody who has left")
		}
		s.by.Store(0)
	})
}
