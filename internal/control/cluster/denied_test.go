package cluster_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// strict is a store whose operator can take this node's rights.
type strict struct {
	*store.Memory
	reads, writes atomic.Bool // refused
}

func refuse(no *atomic.Bool) error {
	if no.Load() {
		return store.ErrDenied
	}
	return nil
}

func (s *strict) Get(ctx context.Context, key string) (store.KV, error) {
	if err := refuse(&s.reads); err != nil {
		return store.KV{}, err
	}
	return s.Memory.Get(ctx, key)
}

func (s *strict) List(ctx context.Context, prefix string) ([]store.KV, int64, error) {
	if err := refuse(&s.reads); err != nil {
		return nil, 0, err
	}
	return s.Memory.List(ctx, prefix)
}

func (s *strict) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	if err := refuse(&s.writes); err != nil {
		return false, 0, nil, err
	}
	return s.Memory.Txn(ctx, conds, ops)
}

// P2: a store that refuses a running node (its password or its role is being changed) is away, and
// somebody is told once; publishers go on and come.
func TestP2ADeniedStoreIsAway(t *testing.T) {
	for _, readable := range []bool{false, true} {
		bubble(t, func(t *testing.T, m *store.Memory) {
			var heard event.Recorder
			s := &strict{Memory: handle(t, m)}
			a := join(t, s, "a", recorded(&heard))
			running := claim(t, a, alice)
			synctest.Wait() // no write is under way that would be let in after one has been refused
			s.writes.Store(true)
			s.reads.Store(!readable)
			late, err := a.Claim(t.Context(), stream.Name{App: "live", Stream: "late"}, cluster.Facts{})
			if err != nil || late.Confirmed() {
				t.Fatalf("readable %v: a new publisher: %v", readable, err)
			}
			elapse(10 * time.Second)
			kv, err := m.Get(t.Context(), cluster.DefaultPrefix+"nodes/a")
			if err != nil {
				t.Fatal(err)
			}
			_ = m.Revoke(t.Context(), kv.Lease)
			elapse(20 * time.Second) // a lease is granted to everybody: that is no news
			lost := event.Of[event.StoreLost](&heard)
			if len(lost) != 1 || !errors.Is(lost[0].Err, store.ErrDenied) || a.Available() || len(event.Of[event.StoreBack](&heard)) > 0 {
				t.Errorf("readable %v: told %d times %+v, back %d times", readable, len(lost), lost, len(event.Of[event.StoreBack](&heard)))
			}
			s.reads.Store(false)
			s.writes.Store(false)
			elapse(10 * time.Second)
			if !late.Confirmed() || isLost(running) || !a.Available() || len(event.Of[event.StoreBack](&heard)) != 1 {
				t.Errorf("readable %v: 10 s after it is let in: %v %v", readable, late.Confirmed(), a.Available())
			}
		})
	}
}
