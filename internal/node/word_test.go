package node_test

import (
	"encoding/json"
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// While the store is away every node says of itself, and of the others, what they are now: a drain that is over is seen to be.
func TestADrainIsSeenToBeOverWithoutTheStore(t *testing.T) {
	m := store.NewMemory()
	var nodes [2]*running
	for i, name := range []string{"leaver", "other"} {
		cfg := quickConfig(name)
		cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleOrigin, config.RoleEdge}, 0
		cfg.Admin.Listen = "127.0.0.1:0"
		nodes[i], _ = startWith(t, inStore(m), cfg)
	}
	leaver, other := nodes[0], nodes[1]
	leaver.sees(t, "other")
	other.sees(t, "leaver")
	m.Stop()
	leaver.says(t, 200, `"part": "store"`)
	other.says(t, 200, `"part": "store"`)

	if err := other.api().Drain(t.Context(), "leaver", 0); err != nil {
		t.Fatal(err)
	}
	leaver.isSaid(t, "leaver", "drained")
	other.isSaid(t, "leaver", "drained")
	if _, err := newAttack(t, other).goOnAir("cam"); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if !eventually(patience, func() bool { return n.load(t, "other").Publishers == 1 }) {
			t.Errorf("the node at %s does not say what is at the other one: %+v", n.addr, n.load(t, "other"))
		}
	}
	for _, n := range nodes {
		if since := n.storeAway(t); since.IsZero() || since.After(time.Now()) {
			t.Errorf("the node at %s says that the store is away since %v", n.addr, since)
		}
	}
	if err := leaver.api().Undrain(t.Context(), "leaver"); err != nil {
		t.Fatal(err)
	}
	leaver.isSaid(t, "leaver", "up")
	other.isSaid(t, "leaver", "up")
	m.Resume()
	for _, n := range nodes {
		if !eventually(patience, func() bool { return n.storeAway(t).IsZero() }) {
			t.Errorf("the node at %s says that the store is away when it is back", n.addr)
		}
	}
}

// storeAway is since when a node says that its lists are from memory.
func (r *running) storeAway(t *testing.T) time.Time {
	t.Helper()
	_, raw, err := r.api().Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var age admin.Age
	if err := json.Unmarshal(raw, &age); err != nil {
		t.Fatal(err)
	}
	return age.StoreAway
}

// isSaid waits until a node says that another one, or itself, is in a state.
func (r *running) isSaid(t *testing.T, name, state string) {
	t.Helper()
	var said string
	if !eventually(patience, func() bool {
		nodes, _, err := r.api().Nodes(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, n := range nodes {
			if n.Name == name {
				said = n.State
			}
		}
		return said == state
	}) {
		t.Errorf("the node at %s says that %s is %s, not %s", r.addr, name, said, state)
	}
}
