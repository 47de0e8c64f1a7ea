package cluster_test

import (
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/control/store/storetest"
	"weir/internal/stream"
)

func dial(t *testing.T, e *storetest.Etcd) store.Store {
	t.Helper()
	s, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{e.Endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A real etcd is killed, started again, then killed, wiped and started: what runs is
// not touched, and the registry is right afterwards.
func TestP2OwnershipSurvivesTheStoresDeath(t *testing.T) {
	e := storetest.StartEtcd(t)
	a, b := join(t, dial(t, e), "a"), join(t, dial(t, e), "b")
	o := claim(t, a, alice)
	until(t, "the view has the stream", func() bool { _, ok := viewOf(b, alice); return ok })

	e.Kill()
	until(t, "the outage is noticed", func() bool { return !a.Available() })
	late := claim(t, a, stream.Name{App: "live", Stream: "late"})
	if late.Confirmed() {
		t.Error("confirmed by a dead store")
	}
	if who, epoch := owner(t, b, alice); who != "a" || epoch != o.Epoch() {
		t.Errorf("%q %v", who, epoch)
	}
	e.Start()
	until(t, "the late claim is confirmed and known", func() bool {
		r, ok := viewOf(b, late.Name())
		return late.Confirmed() && ok && r.Epoch == late.Epoch()
	})
	until(t, "the stream's record is right", func() bool {
		r, ok := viewOf(b, alice)
		return ok && r.Owner == "a" && r.Epoch == o.Epoch()
	})

	before := o.Epoch()
	e.Kill()
	e.Wipe()
	e.Start()
	until(t, "claimed again under a higher incarnation", func() bool {
		r, ok := viewOf(b, alice)
		return before.Incarnation < o.Epoch().Incarnation && ok && r.Owner == "a" && r.Epoch == o.Epoch()
	})
	if isLost(o) || isLost(late) {
		t.Error("a running ownership was lost")
	}
	until(t, "both are registered", func() bool {
		nodes := b.Nodes()
		return len(nodes) == 2 && !nodes[0].Remembered && !nodes[1].Remembered && time.Since(nodes[0].LoadSeen) < 10*time.Second
	})
}

// A real etcd is restored from a snapshot that lacks nothing but the last claim: a moment
// old. Then nothing is as old as a load that could tell, and the revision is reached again at once.
func TestP2AShortRollbackOfEtcdIsFoundOut(t *testing.T) {
	e := storetest.StartEtcd(t)
	a, b := join(t, dial(t, e), "a"), join(t, dial(t, e), "b")
	bob := claim(t, b, stream.Name{App: "live", Stream: "bob"})
	for round := range 3 {
		e.Snapshot()
		o := claim(t, a, alice)
		before, bobs := o.Epoch(), bob.Epoch()
		e.Kill()
		e.Restore()
		e.Start()
		began := time.Now()
		until(t, "both claimed again under a higher incarnation", func() bool {
			at, aok := viewOf(a, bob.Name())
			bt, bok := viewOf(b, alice)
			return aok && bok && bt.Owner == "a" && bt.Epoch == o.Epoch() && before.Incarnation < o.Epoch().Incarnation &&
				at.Epoch == bob.Epoch() && bobs.Incarnation < bob.Epoch().Incarnation
		})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("round %d: right after %v", round, took)
		}
		if isLost(o) || isLost(bob) {
			t.Error("a running ownership was lost")
		}
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func viewOf(c *cluster.Cluster, name stream.Name) (cluster.StreamRecord, bool) {
	for _, r := range c.Streams() {
		if r.Name == name {
			return r, true
		}
	}
	return cluster.StreamRecord{}, false
}
