package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"

	"weir/internal/control/store"
	"weir/internal/control/store/storetest"
	"weir/internal/proctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryConforms(t *testing.T) {
	root := store.NewMemory()
	conform(t, harness{
		open: func(t *testing.T) store.Store {
			c := root.Client()
			t.Cleanup(func() { c.Close() })
			return c
		},
		compact: func(_ *testing.T, rev int64) { root.Compact(rev) },
		stop:    func(*testing.T) { root.Stop() },
		start:   func(*testing.T) { root.Resume() },
	})
}

func TestEtcdConforms(t *testing.T) {
	e := storetest.StartEtcd(t)
	conform(t, etcdHarness(e.Endpoint, func(*testing.T) { e.Kill() }, func(*testing.T) { e.Start() }))
}

func TestEmbeddedConforms(t *testing.T) {
	o := store.EmbeddedOptions{Dir: filepath.Join(t.TempDir(), "etcd"), Listen: proctest.Addr(t)}
	var server *store.Embedded
	start := func(t *testing.T) {
		s, err := store.StartEmbedded(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		server = s
	}
	stop := func(*testing.T) { server.Close() }
	start(t)
	t.Cleanup(func() { stop(t) })
	conform(t, etcdHarness(o.Listen, stop, start))
}

func etcdHarness(endpoint string, stop, start func(*testing.T)) harness {
	return harness{
		stop: stop, start: start,
		open: func(t *testing.T) store.Store {
			s, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{endpoint}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		},
		compact: func(t *testing.T, rev int64) {
			c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Compact(ctxFor(t), rev); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func TestEmbeddedLoneMember(t *testing.T) {
	s, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if strings.HasSuffix(s.Addr(), ":0") {
		t.Fatalf("Addr() = %s", s.Addr())
	}
	must[int64](t)(s.Put(t.Context(), "a", []byte("b"), 0))
	// Another node uses the same member through its address.
	c, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{s.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	must[store.KV](t)(c.Get(t.Context(), "a"))
}

// Three members: two are enough, one is not.
func TestEmbeddedThreeMembers(t *testing.T) {
	peers := []string{"a=" + proctest.Addr(t), "b=" + proctest.Addr(t), "c=" + proctest.Addr(t)}
	members := make([]*store.Embedded, 3)
	var wg sync.WaitGroup
	for i, name := range []string{"a", "b", "c"} {
		wg.Go(func() {
			m, err := store.StartEmbedded(context.Background(), store.EmbeddedOptions{Name: name, Peers: peers})
			if err != nil {
				t.Error(err)
				return
			}
			members[i] = m
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	ctx := ctxFor(t)
	retry := func(s store.Store, key string) error {
		var err error
		for range 8 {
			if _, err = s.Put(ctx, key, nil, 0); err == nil {
				return nil
			}
		}
		return err
	}
	if err := retry(members[0], "k"); err != nil {
		t.Fatal(err)
	}
	must[store.KV](t)(members[2].Get(ctx, "k"))
	members[0].Close()
	if err := retry(members[1], "k2"); err != nil {
		t.Fatalf("two of three members: %v", err)
	}
	members[1].Close()
	if _, err := members[2].Put(ctx, "k3", nil, 0); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("one of three members: %v", err)
	}
	members[2].Close()
}

func TestEmbeddedRefusesImpossibleOptions(t *testing.T) {
	for _, o := range []store.EmbeddedOptions{
		{Listen: "nonsense"},
		{Peers: []string{"a=127.0.0.1:1"}}, // without this one
		{Peers: []string{"weir127.0.0.1:1"}},
		{Dir: "/dev/null/x"},
	} {
		if s, err := store.StartEmbedded(t.Context(), o); err == nil {
			s.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
	s, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s2, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{Listen: s.Addr()}); err == nil || !strings.Contains(err.Error(), "in use") {
		if err == nil {
			s2.Close()
		}
		t.Errorf("a port in use: %v", err)
	}
}

func TestMemoryPartitionedHandleLosesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := store.NewMemory()
		a := root.Client()
		defer a.Close()
		lease, _ := a.Grant(t.Context(), 5*time.Second)
		lost, _ := a.KeepAlive(t.Context(), lease)
		must[int64](t)(a.Put(t.Context(), "x", nil, lease))
		time.Sleep(time.Minute)
		must[store.KV](t)(root.Get(t.Context(), "x"))
		a.Partition(true)
		start := time.Now()
		<-lost
		if d := time.Since(start); d < 3*time.Second || d > 7*time.Second {
			t.Errorf("lost after %v", d)
		}
		time.Sleep(5 * time.Second)
		if _, err := root.Get(t.Context(), "x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestMemoryHistoryIsBounded(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	for range 40_000 {
		must[int64](t)(m.Put(t.Context(), "x", nil, 0))
	}
	if b := <-m.Watch(t.Context(), "x", 2); !errors.Is(b.Err, store.ErrCompacted) {
		t.Fatalf("%+v", b)
	}
}

func TestMemoryRestoreGoesBack(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	must[int64](t)(m.Put(t.Context(), "x", []byte("1"), 0))
	old := m.Snapshot()
	r := must[int64](t)(m.Put(t.Context(), "x", []byte("2"), 0))
	m.Restore(old)
	if kv := must[store.KV](t)(m.Get(t.Context(), "x")); string(kv.Value) != "1" || kv.Rev >= r {
		t.Fatalf("%+v", kv)
	}
}
