package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// interposed is a store in which something is done, once, before a key is written on condition of another.
type interposed struct {
	store.Store
	due atomic.Pointer[interposition]
}

type interposition struct {
	key, on string
	what    func(store.LeaseID) // of the key
}

func (s *interposed) Txn(ctx context.Context, conds []store.Cond, ops []store.Op) (bool, int64, []store.KV, error) {
	due := s.due.Load()
	of := func(c store.Cond) bool { return c.Key == cluster.DefaultPrefix+due.on && c.Rev > 0 }
	if due != nil && ops[0].Key == cluster.DefaultPrefix+due.key && slices.ContainsFunc(conds, of) && s.due.CompareAndSwap(due, nil) {
		due.what(ops[0].Lease)
	}
	return s.Store.Txn(ctx, conds, ops)
}

// P2: what a node deletes itself while its load is on the way, or what goes with its lease, is not what the store has
// forgotten: its incarnation stays, and so do the epochs of running streams.
func TestP2OwnDeletionsAreNoRollback(t *testing.T) {
	bob := stream.Name{App: "live", Stream: "bob"}
	for _, what := range []string{"a pull", "a pull that comes back", "a claim", "a claim that comes back", "the lease"} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *store.Memory) {
				s := &interposed{Store: handle(t, m)}
				a := join(t, s, "a")
				elapse(3 * time.Second)
				runs := claim(t, a, bob)
				before := runs.Epoch()
				incarnation, err := m.Get(t.Context(), cluster.DefaultPrefix+"incarnation")
				if err != nil {
					t.Fatal(err)
				}
				elapse(3 * time.Second) // its load is newer than that
				done := make(chan struct{})
				if what == "a pull" || what == "a pull that comes back" {
					s.due.Store(&interposition{"loads/a", "pulls/live/alice/a", func(store.LeaseID) {
						defer close(done)
						a.PullEnded(alice)
						synctest.Wait()
						if what != "a pull" {
							a.PullStarted(alice)
						}
					}})
					a.PullStarted(alice)
				} else {
					o := claim(t, a, alice)
					s.due.Store(&interposition{"loads/a", "streams/live/alice", func(lease store.LeaseID) {
						defer close(done)
						if what == "the lease" {
							m.Revoke(t.Context(), lease)
							return
						}
						if err := o.Release(t.Context()); err != nil {
							t.Error(err)
						}
					}})
				}
				select {
				case <-done:
				case <-time.After(30 * time.Second):
					t.Fatal("the load has not been written on condition of that")
				}
				if what == "a claim that comes back" {
					claim(t, a, alice)
				}
				elapse(10 * time.Second)
				after, err := m.Get(t.Context(), cluster.DefaultPrefix+"incarnation")
				if err != nil || after.Rev != incarnation.Rev {
					t.Errorf("incarnation %s became %s (%v)", incarnation.Value, after.Value, err)
				}
				if now := runs.Epoch(); what != "the lease" && (isLost(runs) || now != before) {
					t.Errorf("the stream that runs had %v and has %v", before, now)
				}
			})
		})
	}
}
