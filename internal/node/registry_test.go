package node

import (
	"context"
	"testing"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// deaf is a store whose watches are behind for as long as the test lasts.
type deaf struct{ store.Store }

func (deaf) Watch(ctx context.Context, _ string, _ int64) <-chan store.WatchBatch {
	silent := make(chan store.WatchBatch)
	context.AfterFunc(ctx, func() { close(silent) })
	return silent
}

// joined is a member of a cluster that leaves with the test.
func joined(t *testing.T, s store.Store, name string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(cluster.Options{Store: s, Self: cluster.NodeRecord{Name: name, Roles: []string{"origin", "edge"}, Addresses: cluster.Addresses{RTMP: name + ":1935"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A viewer who comes right after an origin has is not refused because the edge's view has not.
func TestAnOriginIsFoundBeforeTheViewHasIt(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	edge := joined(t, deaf{m.Client()}, "edge")
	origin := joined(t, m.Client(), "origin")
	name := stream.Name{App: "live", Stream: "alice"}
	if _, err := origin.Claim(t.Context(), name, cluster.Facts{}); err != nil {
		t.Fatal(err)
	}
	if _, ok := edge.Node("origin"); ok {
		t.Fatal("the view is not behind")
	}
	r := registry{c: edge, self: "edge"}
	src, ok, err := r.Locate(t.Context(), name, "")
	if !ok || err != nil || src.Node != "origin" || src.Addr != "origin:1935" {
		t.Errorf("%+v %v %v", src, ok, err)
	}
	if err := origin.Close(); err != nil {
		t.Fatal(err)
	}
	if n, ok := edge.FindNode(t.Context(), "origin"); ok {
		t.Errorf("an origin that has left: %+v", n)
	}
}
