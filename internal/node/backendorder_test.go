package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"testing"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/node"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/proctest"
)

// order gives one to all fronts, again if one that the machine keeps waiting has missed it.
func (r *running) order(t *testing.T, backend, order string) {
	t.Helper()
	if !eventually(patience, func() bool {
		done, err := r.api().OrderBackend(t.Context(), backend, order)
		if err != nil {
			t.Fatalf("%s: %v", order, err)
		}
		return len(done.Missed) == 0
	}) {
		t.Fatalf("%s: a front misses it each time", order)
	}
}

// Orders to backends outlive the fronts, and reach those that start later and those that did not hear them; without the store
// they stay as they are.
func TestOrdersToBackendsAreKept(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	one := standalone(t, "one")
	front := func(name string) (r *running, client *store.Memory, stop func()) {
		cfg := quickConfig(name)
		cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
		cfg.Admin.Listen = "127.0.0.1:0"
		cfg.Front.Backends.Servers = []config.Server{quickServer("b/1", one.addr, "", config.LoadNone, ""), quickServer("b2", one.addr, "", config.LoadNone, "")}
		client = m.Client()
		r, stop = startWith(t, node.World{Store: func(context.Context) (store.Store, error) { return client, nil }}, cfg)
		return r, client, stop
	}
	f1, _, stop1 := front("front1")
	if _, err := f1.api().OrderBackend(t.Context(), "b/1", "drain"); err != nil {
		t.Fatal(err)
	}
	if _, err := f1.api().WeighBackend(t.Context(), "b2", 2.5); err != nil {
		t.Fatal(err)
	}
	stop1()
	f1, client, _ := front("front1")
	if b := f1.backend(t, "b/1"); b.Operator != "drain" {
		t.Errorf("after a restart: %+v", b)
	}
	if b := f1.backend(t, "b2"); b.Weight != 2.5 || !b.Set || b.Operator != "ready" {
		t.Errorf("after a restart: %+v", b)
	}
	f2, _, _ := front("front2") // which nobody has told
	f2.becomes(t, "b/1", "drained", func(b *admin.Backend) bool { return b.Operator == "drain" })

	// One that is cut off from the store keeps what it knows, and hears the rest when it is back.
	client.Partition(true)
	if _, err := f2.api().WeighBackend(t.Context(), "b2", 0); err != nil {
		t.Fatal(err)
	}
	if b := f1.backend(t, "b/1"); b.Operator != "drain" {
		t.Errorf("without the store: %+v", b)
	}
	client.Partition(false)
	if _, err := f2.api().OrderBackend(t.Context(), "b/1", "ready"); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*running{f1, f2} {
		f.becomes(t, "b/1", "ready", func(b *admin.Backend) bool { return b.Operator == "ready" })
		f.becomes(t, "b2", "as configured", func(b *admin.Backend) bool { return b.Weight == 1 && !b.Set })
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if left, _, err := m.Client().List(ctx, cluster.DefaultPrefix+"orders/"); err != nil || len(left) != 0 {
		t.Errorf("left in the store: %v, %v", left, err)
	}
}

// An order is kept, too, when a front does not answer: that one will want to know.
func TestAnOrderIsKeptWhenAFrontIsDeaf(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // which accepts, as a frozen one does
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	m := store.NewMemory()
	defer m.Close()
	rec, err := json.Marshal(cluster.NodeRecord{Name: "deaf", Process: "1", Started: 1, Roles: []string{string(config.RoleFront)},
		State: cluster.StateUp, Addresses: cluster.Addresses{RTMP: deaf.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Client().Put(t.Context(), cluster.DefaultPrefix+"nodes/deaf", rec, 0); err != nil {
		t.Fatal(err)
	}
	cfg := quickConfig("front1")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.Front.Backends.Servers = []config.Server{quickServer("b1", proctest.Addr(t), "", config.LoadNone, "")}
	f, _ := startWith(t, node.World{Store: func(context.Context) (store.Store, error) { return m.Client(), nil }}, cfg)
	f.sees(t, "deaf")
	done, err := f.api().OrderBackend(t.Context(), "b1", "drain")
	if err != nil || !slices.Equal(done.Missed, []string{"deaf"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	if kvs, _, err := m.Client().List(t.Context(), cluster.DefaultPrefix+"orders/"); err != nil || len(kvs) != 1 {
		t.Errorf("in the store: %v, %v", kvs, err)
	}
}

// What is ordered while the store is away stands when it comes back with what was ordered before.
func TestAnOrderWithoutTheStoreStandsWhenItIsBack(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	var fronts []*running
	for _, name := range []string{"front1", "front2"} {
		cfg := quickConfig(name)
		cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
		cfg.Admin.Listen = "127.0.0.1:0"
		cfg.Front.Backends.Servers = []config.Server{quickServer("b1", proctest.Addr(t), "", config.LoadNone, "")}
		f, _ := startWith(t, node.World{Store: func(context.Context) (store.Store, error) { return m.Client(), nil }}, cfg)
		fronts = append(fronts, f)
	}
	fronts[0].sees(t, "front2")
	stored := func() []store.KV {
		kvs, _, err := m.Client().List(t.Context(), cluster.DefaultPrefix+"orders/b1/operator")
		if err != nil {
			t.Fatal(err)
		}
		return kvs
	}
	// Whoever has heard of a weight has heard what the store was told before.
	hear := func(weight float64) {
		t.Helper()
		if _, err := m.Client().Put(t.Context(), cluster.DefaultPrefix+"orders/b1/weight", fmt.Append(nil, weight), 0); err != nil {
			t.Fatal(err)
		}
		for _, f := range fronts {
			f.becomes(t, "b1", "weighed", func(b *admin.Backend) bool { return b.Weight == weight })
		}
	}
	fronts[0].order(t, "b1", "drain")
	if len(stored()) != 1 {
		t.Fatalf("in the store: %v", stored())
	}
	hear(2) // and the news of the drain are not under way when the store stops
	m.Stop()
	fronts[0].order(t, "b1", "ready")
	m.Resume()
	if !eventually(patience, func() bool {
		for _, f := range fronts {
			if b := f.backend(t, "b1"); b.Operator != "ready" {
				t.Fatalf("%+v", b)
			}
		}
		return len(stored()) == 0
	}) {
		t.Fatalf("still in the store: %v", stored())
	}
	hear(3)
	for _, f := range fronts {
		if b := f.backend(t, "b1"); b.Operator != "ready" {
			t.Errorf("%+v", b)
		}
	}
}

// orders are what the store has of them, by key.
func orders(t *testing.T, s store.Store) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	kvs, _, err := s.List(ctx, cluster.DefaultPrefix+"orders/")
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, kv := range kvs {
		m[kv.Key[len(cluster.DefaultPrefix+"orders/"):]] = string(kv.Value)
	}
	return m
}

// ordersFront starts a front of two backends, b1 and b2.
func ordersFront(t *testing.T, s store.Store) *running {
	t.Helper()
	one := standalone(t, "one")
	cfg := quickConfig("front1")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleFront}, 0
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.Front.Backends.Servers = []config.Server{quickServer("b1", one.addr, "", config.LoadNone, ""), quickServer("b2", one.addr, "", config.LoadNone, "")}
	f, _ := startWith(t, node.World{Store: func(context.Context) (store.Store, error) { return s, nil }}, cfg)
	return f
}

// A store that was wiped is told again what it knew, also if it has come further since than it was.
func TestOrdersOutliveTheStoresData(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	client := m.Client()
	f := ordersFront(t, client)
	if _, err := f.api().OrderBackend(t.Context(), "b1", "drain"); err != nil {
		t.Fatal(err)
	}
	client.Partition(true)
	m.Wipe()
	busy := m.Client()
	for i := range 200 { // others write to it meanwhile
		if _, err := busy.Put(t.Context(), cluster.DefaultPrefix+"incarnation", []byte("99999999999999"), 0); err != nil {
			t.Fatal(i, err)
		}
	}
	client.Partition(false)
	if !eventually(patience, func() bool { return orders(t, busy)["b1/operator"] == "drain" }) {
		t.Fatalf("in the store: %v", orders(t, busy))
	}
	if b := f.backend(t, "b1"); b.Operator != "drain" {
		t.Errorf("b1: %+v", b)
	}
}
