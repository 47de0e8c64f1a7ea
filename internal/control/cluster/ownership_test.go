package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

func TestP1SecondClaimIsBusyAndNamesTheOwner(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var rec event.Recorder
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b", recorded(&rec))
		o := claim(t, a, alice)
		if !o.Confirmed() || o.Name() != alice {
			t.Fatalf("%v at %v", o.Name(), o.Epoch())
		}
		for _, c := range []*cluster.Cluster{a, b} {
			_, err := c.Claim(t.Context(), alice, cluster.Facts{})
			var busy *cluster.BusyError
			if !errors.As(err, &busy) || busy.Owner != "a" || busy.Epoch != o.Epoch() {
				t.Fatalf("%v", err)
			}
		}
		if refused := event.Of[event.ClaimRefused](&rec); len(refused) != 1 || refused[0].Owner != "a" || refused[0].Reason != event.Busy {
			t.Errorf("%+v", refused)
		}
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := o.Release(t.Context()); err != nil {
			t.Fatalf("Release again: %v", err)
		}
		o2 := claim(t, b, alice)
		if !o.Epoch().Less(o2.Epoch()) {
			t.Errorf("epochs %v, then %v", o.Epoch(), o2.Epoch())
		}
		if isLost(o) {
			t.Error("a released ownership was lost")
		}
	})
}

func TestReleaseWithEndedContextStillReleases(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := o.Release(ctx); err != nil {
			t.Fatal(err)
		}
		claim(t, b, alice)
	})
}

func TestClaimWithEndedContextHoldsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a := join(t, handle(t, m), "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.Claim(ctx, alice, cluster.Facts{}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		claim(t, a, alice)
	})
}

func TestP1RaceOfTwoClaimersHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	race(t, join(t, m.Client(), "a"), join(t, m.Client(), "b"), 1000)
}

func TestP1RaceOfTwoClaimersOnEmbeddedEtcd(t *testing.T) {
	s, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	other, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{s.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	race(t, join(t, s, "a"), join(t, other, "b"), 50)
}

// race lets both claim at once, again and again; epochs only grow.
func race(t *testing.T, a, b *cluster.Cluster, rounds int) {
	var last stream.Epoch
	for round := range rounds {
		var won [2]*cluster.Ownership
		var errs [2]error
		var wg sync.WaitGroup
		for i, c := range []*cluster.Cluster{a, b} {
			wg.Go(func() { won[i], errs[i] = c.Claim(t.Context(), alice, cluster.Facts{}) })
		}
		wg.Wait()
		winner := 0
		if won[0] == nil {
			winner = 1
		}
		var busy *cluster.BusyError
		if won[winner] == nil || won[1-winner] != nil || !errors.As(errs[1-winner], &busy) {
			t.Fatalf("round %d: %v, %v", round, errs[0], errs[1])
		}
		e := won[winner].Epoch()
		if !last.Less(e) || busy.Epoch != e || busy.Owner != []string{"a", "b"}[winner] {
			t.Fatalf("round %d: epoch %v after %v; the loser heard %v", round, e, last, busy)
		}
		last = e
		if err := won[winner].Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUpdateKeepsTheEpoch(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		for i := range 3 {
			o.Update(cluster.Facts{BitrateBPS: float64(i + 1)})
			synctest.Wait()
		}
		r, ok, err := b.Owner(t.Context(), alice)
		if err != nil || !ok || r.Epoch != o.Epoch() || r.Facts.BitrateBPS != 3 {
			t.Fatalf("%+v, %v, %v; epoch %v", r, ok, err, o.Epoch())
		}
	})
}

func TestTakeOverFromASilentOwner(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var rec event.Recorder
		a, b := join(t, handle(t, m), "a", recorded(&rec)), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		if _, err := b.TakeOver(t.Context(), alice, cluster.Facts{}, stream.Epoch{Incarnation: 1}); err == nil {
			t.Fatal("took over from an epoch that is not the owner's")
		}
		o2, err := b.TakeOver(t.Context(), alice, cluster.Facts{}, o.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // no time passes: the watch tells at once
		if !isLost(o) {
			t.Fatal("the old owner has not heard")
		}
		if by, e := o.LostTo(); by != "b" || e != o2.Epoch() || !o.Epoch().Less(e) {
			t.Errorf("lost to %s at %v, which has %v", by, e, o2.Epoch())
		}
		if lost := event.Of[event.OwnershipLost](&rec); len(lost) != 1 || lost[0].Higher != o2.Epoch() {
			t.Errorf("%+v", lost)
		}
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if who, _ := owner(t, a, alice); who != "b" {
			t.Errorf("the loser's release removed the record of %q", who)
		}
		// On one node.
		o3, err := b.TakeOver(t.Context(), alice, cluster.Facts{}, o2.Epoch())
		if err != nil || !o2.Epoch().Less(o3.Epoch()) || !isLost(o2) {
			t.Fatalf("%v", err)
		}
	})
}

func TestFrozenOwnerWakesAndFindsItselfReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		a, b := join(t, ha, "a"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		ha.Partition(true)
		elapse(12 * time.Second)
		if _, ok := b.Node("a"); ok {
			t.Fatal("the node's record outlived its lease")
		}
		var busy *cluster.BusyError
		if _, err := b.Claim(t.Context(), alice, cluster.Facts{}); !errors.As(err, &busy) || !busy.Vanished || busy.Owner != "a" || busy.Epoch != o.Epoch() {
			t.Fatalf("who has vanished does not have to be asked: %v", err)
		}
		o2, err := b.TakeOver(t.Context(), alice, cluster.Facts{}, busy.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		if isLost(o) {
			t.Fatal("heard through a partition")
		}
		ha.Partition(false)
		elapse(5 * time.Second)
		if !isLost(o) {
			t.Fatal("still thinks that it owns the stream")
		}
		if by, e := o.LostTo(); by != "b" || e != o2.Epoch() {
			t.Errorf("%s %v", by, e)
		}
		if _, ok := b.Node("a"); !ok {
			t.Error("has not registered again")
		}
	})
}

func TestLeaseLossReclaimsWithAHigherEpoch(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		a, b := join(t, ha, "a"), join(t, handle(t, m), "b")
		a.PullStarted(stream.Name{App: "live", Stream: "bob"})
		o := claim(t, a, alice)
		first, changed := o.Epoch(), o.Changed()
		ha.Partition(true)
		elapse(12 * time.Second)
		if who, _ := owner(t, b, alice); who != "" {
			t.Fatalf("owned by %s", who)
		}
		ha.Partition(false)
		elapse(5 * time.Second)
		select {
		case <-changed:
		default:
			t.Fatal("no news of a new epoch")
		}
		who, e := owner(t, b, alice)
		if who != "a" || !first.Less(e) || o.Epoch() != e || isLost(o) {
			t.Fatalf("owner %s %v; had %v, has %v", who, e, first, o.Epoch())
		}
		if p := b.Pulls(stream.Name{App: "live", Stream: "bob"}); len(p) != 1 || p[0] != "a" {
			t.Errorf("pulls: %v", p)
		}
	})
}

func TestP2UnconfirmedClaimSettles(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		rec := &event.Recorder{}
		a, b := join(t, handle(t, m), "a", recorded(rec)), join(t, handle(t, m), "b")
		bob := stream.Name{App: "live", Stream: "bob"}
		old := claim(t, a, bob)
		synctest.Wait()
		m.Stop()
		elapse(10 * time.Second)
		start := time.Now()
		o := claim(t, a, alice)
		if d := time.Since(start); d > time.Second {
			t.Errorf("a claim without the store took %v", d)
		}
		if o.Confirmed() || a.Available() {
			t.Fatal("confirmed by nobody")
		}
		if who, _ := owner(t, a, alice); who != "a" {
			t.Errorf("this node says that the owner is %q", who)
		}
		if _, err := b.Claim(t.Context(), bob, cluster.Facts{}); err == nil {
			t.Error("a stream whose owner is known was granted to another")
		}
		if who, e := owner(t, b, bob); who != "a" || e != old.Epoch() {
			t.Errorf("a known stream resolves to %q %v", who, e)
		}
		if _, _, err := b.Owner(t.Context(), alice); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("an unknown stream: %v", err)
		}
		m.Resume()
		elapse(5 * time.Second)
		if !o.Confirmed() || isLost(o) || isLost(old) {
			t.Fatal("not settled")
		}
		if who, e := owner(t, b, alice); who != "a" || e != o.Epoch() {
			t.Errorf("%q %v", who, e)
		}
		want := []event.Claimed{{Name: bob, Epoch: old.Epoch()}, {Name: alice}, {Name: alice, Epoch: o.Epoch(), Confirms: true}}
		if got := event.Of[event.Claimed](rec); !slices.Equal(got, want) {
			t.Errorf("told: %+v, want %+v", got, want)
		}
	})
}

func TestP2TwoUnconfirmedClaimsSettleToOne(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		m.Stop()
		oa, ob := claim(t, a, alice), claim(t, b, alice)
		gone := claim(t, a, stream.Name{App: "live", Stream: "gone"})
		if err := gone.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.Resume()
		elapse(5 * time.Second)
		if isLost(oa) == isLost(ob) || oa.Confirmed() == ob.Confirmed() {
			t.Fatalf("lost: %v %v; epochs %v %v", isLost(oa), isLost(ob), oa.Epoch(), ob.Epoch())
		}
		if all := a.Streams(); len(all) != 1 {
			t.Errorf("%+v", all)
		}
	})
}

func TestReleaseWhileTheStoreIsAwayIsDoneLater(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		m.Stop()
		if err := o.Release(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v", err)
		}
		m.Resume()
		elapse(4 * time.Second)
		if who, _ := owner(t, b, alice); who != "" {
			t.Fatalf("owned by %s for ever", who)
		}
	})
}

func TestOrphanRecordIsRemoved(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		join(t, handle(t, m), "a")
		key := cluster.DefaultPrefix + "streams/live/alice"
		if _, err := m.Put(t.Context(), key, []byte(`{"owner":"a","claim":"nobody's","incarnation":1}`), 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := m.Get(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%v", err)
		}
	})
}

func TestDeletedRecordIsClaimedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a := join(t, handle(t, m), "a")
		o := claim(t, a, alice)
		e := o.Epoch()
		if err := m.Delete(t.Context(), cluster.DefaultPrefix+"streams/live/alice"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !e.Less(o.Epoch()) || isLost(o) {
			t.Fatalf("%v → %v", e, o.Epoch())
		}
	})
}

func TestManyStreamsSettleAfterAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		a, b := join(t, ha, "a"), join(t, handle(t, m), "b")
		for i := range 500 {
			claim(t, a, stream.Name{App: "live", Stream: fmt.Sprint(i)})
		}
		ha.Partition(true)
		elapse(time.Minute)
		if n := len(b.Streams()); n != 0 {
			t.Fatalf("%d streams of a node that is gone", n)
		}
		ha.Partition(false)
		elapse(10 * time.Second)
		if n := len(b.Streams()); n != 500 {
			t.Fatalf("%d of 500 streams", n)
		}
	})
}

// P1: whoever loses a stream to another claim of its own node may look for it elsewhere at once. So it hears of
// that when the record is the newcomer's, and by which epoch it has lost.
func TestP1TheDisplacedHearsWhenTheRecordIsAnothers(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var heard event.Recorder
		s := &interposed{Store: handle(t, m)}
		a := join(t, s, "a", recorded(&heard))
		old := claim(t, a, alice)
		s.due.Store(&interposition{"streams/live/alice", "streams/live/alice", func(store.LeaseID) {
			if isLost(old) {
				t.Error("it is lost before the record is the newcomer's")
			}
		}})
		next, err := a.TakeOver(t.Context(), alice, cluster.Facts{}, old.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		if s.due.Load() != nil {
			t.Error("the record has not been replaced")
		}
		if by, e := old.LostTo(); !isLost(old) || by != "a" || e != next.Epoch() {
			t.Errorf("lost: %v, to %q by %v", isLost(old), by, e)
		}
		if lost := event.Of[event.OwnershipLost](&heard); len(lost) != 1 || lost[0].Higher != next.Epoch() {
			t.Errorf("told %+v", lost)
		}
	})
}
