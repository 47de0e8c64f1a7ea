package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// counting counts reads and can hold them up.
type counting struct {
	store.Store
	gets atomic.Int64
	slow atomic.Int64 // time.Duration
}

func (s *counting) Get(ctx context.Context, key string) (store.KV, error) {
	s.gets.Add(1)
	time.Sleep(time.Duration(s.slow.Load()))
	return s.Store.Get(ctx, key)
}

func TestAbsentNameIsReadOnceForAll(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		s := &counting{Store: handle(t, m)}
		a, b := join(t, s, "a"), join(t, handle(t, m), "b")
		synctest.Wait() // they have read what they read at the start
		s.slow.Store(int64(100 * time.Millisecond))
		base := s.gets.Load()
		var wg sync.WaitGroup
		for range 500 { // concurrent askers share one read
			wg.Go(func() {
				if _, ok, err := a.Owner(t.Context(), alice); ok || err != nil {
					t.Error(ok, err)
				}
			})
		}
		wg.Wait()
		for range 100 { // later ones none
			owner(t, a, alice)
		}
		if n := s.gets.Load() - base; n != 1 {
			t.Errorf("%d reads", n)
		}
		// The watch ends the memory of absence at once.
		o := claim(t, b, alice)
		synctest.Wait()
		if who, _ := owner(t, a, alice); who != "b" {
			t.Errorf("%q", who)
		}
		o.Release(t.Context())
		synctest.Wait()
		owner(t, a, alice)
		elapse(3 * time.Second)
		base = s.gets.Load()
		owner(t, a, alice)
		if n := s.gets.Load() - base; n != 1 {
			t.Errorf("%d reads after the memory expired", n)
		}
	})
}

func TestOwnerHonoursTheAskersContext(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		s := &counting{Store: handle(t, m)}
		a := join(t, s, "a")
		s.slow.Store(int64(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, _, err := a.Owner(ctx, alice); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestWaitOwnerReturnsWhenTheStreamStarts(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		got := make(chan string)
		go func() {
			r, err := a.WaitOwner(t.Context(), alice)
			got <- fmt.Sprint(r.Owner, err)
		}()
		elapse(time.Minute)
		m.Stop()
		elapse(time.Minute)
		m.Resume()
		elapse(10 * time.Second)
		start := time.Now()
		claim(t, b, alice)
		if s := <-got; s != "b<nil>" || time.Since(start) > 0 {
			t.Errorf("%s after %v", s, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.WaitOwner(ctx, stream.Name{App: "no", Stream: "one"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestOwnerChangesTellsOfEveryNewEpoch(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		sub := a.OwnerChanges(alice)
		defer sub.Close()
		o := claim(t, b, alice)
		if ch := <-sub.C; !ch.Present || ch.Record.Owner != "b" || ch.Record.Epoch != o.Epoch() {
			t.Fatalf("%+v", ch)
		}
		o.Update(cluster.Facts{BitrateBPS: 1})
		synctest.Wait()
		select {
		case ch := <-sub.C:
			t.Fatalf("a change of facts: %+v", ch)
		default:
		}
		o2, err := a.TakeOver(t.Context(), alice, cluster.Facts{}, o.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		if ch := <-sub.C; ch.Record.Owner != "a" || ch.Record.Epoch != o2.Epoch() {
			t.Fatalf("%+v", ch)
		}
		synctest.Wait()
		select { // the watch says it again; the epoch is the same
		case <-sub.C:
		default:
		}
		o2.Release(t.Context())
		if ch := <-sub.C; ch.Present || ch.Record.Name != alice {
			t.Fatalf("%+v", ch)
		}
	})
}

func TestViewOutlivesCompaction(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		// A lease longer than the partition: only the watch is behind.
		long := func(o *cluster.Options) { o.TTL = time.Hour }
		a, b := join(t, ha, "a", long), join(t, handle(t, m), "b")
		gone := claim(t, b, stream.Name{App: "live", Stream: "gone"})
		synctest.Wait()
		sub := a.OwnerChanges(gone.Name())
		defer sub.Close()
		ha.Partition(true)
		gone.Release(t.Context())
		o := claim(t, b, alice)
		_, rev, _ := m.List(t.Context(), "")
		m.Compact(rev)
		elapse(time.Second)
		ha.Partition(false)
		elapse(5 * time.Second)
		if ch := <-sub.C; ch.Present {
			t.Errorf("%+v", ch)
		}
		if all := a.Streams(); len(all) != 1 || all[0].Name != alice || all[0].Epoch != o.Epoch() {
			t.Errorf("%+v", all)
		}
	})
}

func TestNodesLoadsAndStates(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var rec event.Recorder
		a := join(t, handle(t, m), "a", recorded(&rec))
		b := join(t, handle(t, m), "b/../c %2F")
		b.ReportLoad(cluster.Load{Viewers: 7, CPU: 0.5})
		b.SetSelf(func(n *cluster.NodeRecord) { n.State = cluster.StateDraining; n.Name = "other" })
		elapse(2 * time.Second)
		nodes := a.Nodes()
		if len(nodes) != 2 || nodes[1].Name != "b/../c %2F" || nodes[1].Load.Viewers != 7 || nodes[1].State != cluster.StateDraining || nodes[1].LoadSeen.IsZero() {
			t.Fatalf("%+v", nodes)
		}
		if !nodes[1].HasRole("edge") || nodes[1].HasRole("front") {
			t.Error("roles")
		}
		b.Close()
		synctest.Wait()
		if len(a.Nodes()) != 1 {
			t.Error("a node that left is still listed")
		}
		if len(event.Of[event.NodeUp](&rec)) != 1 || len(event.Of[event.NodeDown](&rec)) != 1 {
			t.Error("events of the other node")
		}
	})
}

func TestLoadIsWrittenWhenItChangedAndNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a := join(t, handle(t, m), "a")
		writes := func(d time.Duration, each func()) int64 {
			_, before, _ := m.List(t.Context(), "")
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				each()
			}
			_, after, _ := m.List(t.Context(), "")
			return after - before
		}
		elapse(10 * time.Second)
		if n := writes(time.Minute, func() {}); n < 20 || n > 30 {
			t.Errorf("%d writes a minute of an unchanged load", n)
		}
		i := 0
		if n := writes(time.Minute, func() { i++; a.ReportLoad(cluster.Load{Viewers: i}) }); n < 50 || n > 75 {
			t.Errorf("%d writes a minute of a load that changes all the time", n)
		}
	})
}

func TestSecretIsSharedOrConfigured(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var nodes [4]*cluster.Cluster
		var wg sync.WaitGroup
		for i := range nodes {
			wg.Go(func() { nodes[i] = join(t, handle(t, m), fmt.Sprint("n", i)) })
		}
		wg.Wait()
		for _, n := range nodes {
			if s := n.Secret(); len(s) != 32 || string(s) != string(nodes[0].Secret()) {
				t.Fatalf("%x", s)
			}
		}
		c := join(t, handle(t, m), "c", func(o *cluster.Options) { o.Secret = []byte("configured") })
		if string(c.Secret()) != "configured" {
			t.Errorf("%s", c.Secret())
		}
	})
}

func TestP2StoreAwayForLongChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var rec event.Recorder
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b", recorded(&rec))
		o := claim(t, a, alice)
		b.PullStarted(alice)
		synctest.Wait()
		m.Stop()
		elapse(24 * time.Hour)
		if who, _ := owner(t, b, alice); who != "a" || isLost(o) || len(b.Nodes()) != 2 {
			t.Fatal("the view did not stay")
		}
		m.Resume()
		elapse(10 * time.Second)
		who, e := owner(t, b, alice)
		if who != "a" || e != o.Epoch() || len(b.Nodes()) != 2 || isLost(o) || !a.Available() {
			t.Fatalf("%q %v", who, e)
		}
		if p := a.Pulls(alice); len(p) != 1 || p[0] != "b" {
			t.Errorf("pulls: %v", p)
		}
		if len(event.Of[event.StoreLost](&rec)) != 1 || len(event.Of[event.StoreBack](&rec)) != 1 {
			t.Errorf("%d lost, %d back", len(event.Of[event.StoreLost](&rec)), len(event.Of[event.StoreBack](&rec)))
		}
		b.PullEnded(alice)
		synctest.Wait()
		if p := a.Pulls(alice); len(p) != 0 {
			t.Errorf("pulls: %v", p)
		}
	})
}

func TestStartFailsWithTheStoresError(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		m.Stop()
		c, err := cluster.New(cluster.Options{Store: handle(t, m), Self: cluster.NodeRecord{Name: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v", err)
		}
		if _, err := c.Claim(t.Context(), alice, cluster.Facts{}); !errors.Is(err, cluster.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// P2: a store that was frozen lets every lease run out when it wakes up. Nobody is taken for
// dead, and no stream for unowned, while the members register again.
func TestP2LeasesThatRanOutWithTheStoreAwayAreRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha, hb := handle(t, m), handle(t, m)
		rec := &event.Recorder{}
		a, b := join(t, ha, "a"), join(t, hb, "b", recorded(rec))
		o := claim(t, a, alice)
		gone := claim(t, a, stream.Name{App: "live", Stream: "gone"})
		synctest.Wait()
		ha.Partition(true)
		hb.Partition(true)
		elapse(3 * cluster.DefaultTTL)
		hb.Partition(false)
		for i := range 60 { // a comes back 2 s later
			if i == 40 {
				ha.Partition(false)
			}
			elapse(50 * time.Millisecond)
			if who, _ := owner(t, b, alice); who != "a" {
				t.Fatalf("after %d × 50 ms the owner is %q", i, who)
			}
			if n, ok := b.Node("a"); !ok || n.State != cluster.StateUp {
				t.Fatalf("after %d × 50 ms: %+v %v", i, n, ok)
			}
		}
		if err := gone.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if who, _ := owner(t, b, gone.Name()); who != "" {
			t.Errorf("a stream that was given back is owned by %q", who)
		}
		elapse(10 * time.Second)
		if who, e := owner(t, b, alice); who != "a" || e != o.Epoch() {
			t.Errorf("%q under %v, its owner has %v", who, e, o.Epoch())
		}
		if n, ok := b.Node("a"); !ok || n.Remembered {
			t.Errorf("%+v %v", n, ok)
		}
		for _, e := range rec.Events() {
			if down, ok := e.(event.NodeDown); ok {
				t.Errorf("%+v", down)
			}
		}
		a.Close()
		synctest.Wait()
		if _, ok := b.Node("a"); ok {
			t.Error("a has left and is still listed")
		}
	})
}
