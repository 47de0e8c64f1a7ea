package node

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

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
	if n, ok, err := edge.FindNode(t.Context(), "origin"); ok || err != nil {
		t.Errorf("an origin that has left: %+v, %v", n, err)
	}
}

// An origin that is cut off from the store alone is lost to the registry, and not to those who
// can reach it.
func TestAnOriginThatLostTheStoreIsStillFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store.NewMemory()
		defer m.Close()
		edge, cut := joined(t, m.Client(), "edge"), m.Client()
		origin := joined(t, cut, "origin")
		name := stream.Name{App: "live", Stream: "alice"}
		if _, err := origin.Claim(t.Context(), name, cluster.Facts{}); err != nil {
			t.Fatal(err)
		}
		asked := 0
		r := registry{c: edge, self: "edge", origins: newInquiry(func(_ context.Context, addr string, n stream.Name) (silence, error) {
			asked++
			return silence{Publishing: addr == "origin:1935" && n == name}, nil
		})}
		finds := func(name stream.Name) string {
			src, _, err := r.Locate(t.Context(), name, "")
			if err != nil {
				t.Error(err)
			}
			return src.Addr
		}
		cut.Partition(true)
		time.Sleep(10 * time.Second)
		if len(edge.Nodes()) != 1 || len(edge.Missing()) != 1 {
			t.Fatalf("%+v, missing %+v", edge.Nodes(), edge.Missing())
		}
		if at := finds(name); at != "origin:1935" || asked != 1 {
			t.Errorf("at %q, asked %d times", at, asked)
		}
		if at := finds(stream.Name{App: "live", Stream: "bob"}); at != "" {
			t.Errorf("what nobody has, at %q", at)
		}
		cut.Partition(false)
		time.Sleep(10 * time.Second)
		asked = 0
		if at := finds(name); at != "origin:1935" || asked != 0 || len(edge.Missing()) != 0 {
			t.Errorf("back: at %q, asked %d times, missing %+v", at, asked, edge.Missing())
		}
		if err := origin.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if at := finds(name); at != "" || asked != 0 || len(edge.Missing()) != 0 {
			t.Errorf("an origin that has left: at %q, asked %d times, missing %+v", at, asked, edge.Missing())
		}
		if err := edge.Close(); err != nil { // within the bubble
			t.Fatal(err)
		}
	})
}
