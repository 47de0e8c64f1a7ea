package cluster_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

func TestWipedStoreGetsAHigherIncarnation(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		e, secret := o.Epoch(), string(a.Secret())
		synctest.Wait()
		m.Wipe()
		for i := range 200 { // never a moment without an answer
			elapse(50 * time.Millisecond)
			if r, ok, err := b.Owner(t.Context(), alice); err != nil || !ok || r.Owner != "a" {
				t.Fatalf("after %d × 50 ms: %+v, %v, %v", i, r, ok, err)
			}
		}
		if isLost(o) || o.Epoch().Incarnation <= e.Incarnation {
			t.Fatalf("%v → %v", e, o.Epoch())
		}
		if who, got := owner(t, b, alice); who != "a" || got != o.Epoch() {
			t.Errorf("%q %v, owner has %v", who, got, o.Epoch())
		}
		if len(b.Nodes()) != 2 || string(a.Secret()) != secret || string(b.Secret()) != secret {
			t.Errorf("%d nodes; the secret changed: %v", len(b.Nodes()), string(a.Secret()) != secret)
		}
	})
}

func TestRestoredStoreGetsAHigherIncarnation(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "b")
		old := claim(t, b, alice) // the copy will say b
		copied := m.Snapshot()
		if err := old.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		o := claim(t, a, alice)
		for range 20 { // revisions that the copy does not have
			o.Update(cluster.Facts{BitrateBPS: float64(time.Now().UnixNano())})
			elapse(time.Second)
		}
		e := o.Epoch()
		m.Restore(copied)
		elapse(10 * time.Second)
		if isLost(o) || o.Epoch().Incarnation <= e.Incarnation {
			t.Fatalf("%v → %v", e, o.Epoch())
		}
		for _, c := range []*cluster.Cluster{a, b} {
			if who, got := owner(t, c, alice); who != "a" || got != o.Epoch() {
				t.Errorf("%q %v, owner has %v", who, got, o.Epoch())
			}
		}
	})
}

func TestDeadNodesOfARestoredStoreAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, dead := join(t, handle(t, m), "a"), handle(t, m)
		join(t, dead, "dead")
		elapse(2 * time.Second)
		m.Wipe()
		dead.Partition(true)
		elapse(4 * time.Second)
		if n, ok := a.Node("dead"); !ok || !n.Remembered {
			t.Fatalf("%+v %v", n, ok)
		}
		elapse(12 * time.Second)
		if n, ok := a.Node("dead"); ok {
			t.Fatalf("%+v", n)
		}
		if n, ok := a.Node("a"); !ok || n.Remembered {
			t.Fatalf("%+v %v", n, ok)
		}
	})
}

func TestIncarnationIsAboveTheHighestRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		f := cluster.HighestFile(filepath.Join(t.TempDir(), "incarnation"))
		if n, err := f.Load(); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		future := uint64(time.Now().Add(100 * 365 * 24 * time.Hour).UnixMilli())
		if err := f.Save(future); err != nil {
			t.Fatal(err)
		}
		a := join(t, handle(t, m), "a", func(o *cluster.Options) { o.Highest = f })
		o := claim(t, a, alice)
		if o.Epoch().Incarnation != future+1 {
			t.Fatalf("%v, remembered %d", o.Epoch(), future)
		}
		if n, err := f.Load(); n != future+1 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// A node whose process is new and knows nothing claims in a restored store
// before anybody has noticed: what it got is replaced once they have.
func TestClaimInARestoredStoreIsRaisedLater(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a := join(t, handle(t, m), "a")
		copied := m.Snapshot()
		o := claim(t, a, stream.Name{App: "live", Stream: "bob"})
		for i := range 30 {
			o.Update(cluster.Facts{BitrateBPS: float64(i)})
			elapse(time.Second)
		}
		m.Restore(copied)
		c := join(t, handle(t, m), "c")
		fresh := claim(t, c, alice)
		low := fresh.Epoch()
		elapse(10 * time.Second)
		if isLost(fresh) || !low.Less(fresh.Epoch()) || fresh.Epoch().Incarnation != o.Epoch().Incarnation {
			t.Fatalf("%v → %v; other %v", low, fresh.Epoch(), o.Epoch())
		}
	})
}
