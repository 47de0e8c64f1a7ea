package cluster_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var alice = stream.Name{App: "live", Stream: "alice"}

// join starts a node that leaves with the test.
func join(t testing.TB, s store.Store, name string, with ...func(*cluster.Options)) *cluster.Cluster {
	t.Helper()
	o := cluster.Options{
		Store: s, Self: cluster.NodeRecord{Name: name, Roles: []string{"origin", "edge"}},
		Rand: rand.New(rand.NewPCG(1, uint64(len(name)))), Logger: slog.New(slog.DiscardHandler),
	}
	for _, w := range with {
		w(&o)
	}
	c, err := cluster.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func claim(t testing.TB, c *cluster.Cluster, name stream.Name) *cluster.Ownership {
	t.Helper()
	o, err := c.Claim(t.Context(), name, cluster.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// bubble runs f with a fake clock and a memory store, and handles for as many nodes as it asks.
func bubble(t *testing.T, f func(t *testing.T, m *store.Memory)) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory()
		t.Cleanup(func() { m.Close() })
		f(t, m)
	})
}

// elapse lets a bubble's clock run, and all that is due then come to its end: a store or a way to it that is changed
// next is not changed under a call.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// handle is one node's own connection to the store.
func handle(t *testing.T, m *store.Memory) *store.Memory {
	h := m.Client()
	t.Cleanup(func() { h.Close() })
	return h
}

// owner asks a node for the owner; "" if none.
func owner(t testing.TB, c *cluster.Cluster, name stream.Name) (string, stream.Epoch) {
	t.Helper()
	r, ok, err := c.Owner(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return "", stream.Epoch{}
	}
	return r.Owner, r.Epoch
}

// until waits for a condition that other processes or goroutines bring about, in real time.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func isLost(o *cluster.Ownership) bool {
	select {
	case <-o.Lost():
		return true
	default:
		return false
	}
}

func recorded(r *event.Recorder) func(*cluster.Options) {
	return func(o *cluster.Options) { o.Emit = r.Sink }
}
