package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/internal/control/store"
)

// harness is one backend under the suite. Stores made by open share their data.
type harness struct {
	open    func(t *testing.T) store.Store
	compact func(t *testing.T, rev int64)
	stop    func(t *testing.T)
	start   func(t *testing.T)
}

// conform runs the suite: whatever package cluster relies on is here.
func conform(t *testing.T, h harness) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, harness)
	}{
		{"GetPutDelete", testGetPutDelete},
		{"ListIsOrderedAndAtOneRevision", testList},
		{"TxnComparesAndWritesAtOneRevision", testTxn},
		{"TxnOfManyClaimersHasOneWinner", testClaimers},
		{"LeaseExpires", testLeaseExpires},
		{"LeaseIsKeptAliveUntilRevoked", testLeaseKept},
		{"LeaseMovesWithPut", testLeaseMoves},
		{"WatchFromRevision", testWatch},
		{"WatchSeesExpiry", testWatchExpiry},
		{"WatchOfCompactedRevision", testCompacted},
		{"CallsAreBoundedAndTypedWhileAway", testAway},
		{"WatchAndLeaseSurviveRestart", testReconnect},
		{"ClosedStore", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, h) })
	}
}

// patience is how long a test waits for what has to happen. It decides nothing.
const patience = 2 * time.Minute

func ctxFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func testGetPutDelete(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	if _, err := s.Get(ctx, "/gpd/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get of nothing: %v", err)
	}
	r1 := must[int64](t)(s.Put(ctx, "/gpd/a", []byte("1"), 0))
	r2 := must[int64](t)(s.Put(ctx, "/gpd/a", []byte("2"), 0))
	kv := must[store.KV](t)(s.Get(ctx, "/gpd/a"))
	if r2 <= r1 || kv.Rev != r2 || kv.Create != r1 || string(kv.Value) != "2" || kv.Key != "/gpd/a" || kv.Lease != 0 {
		t.Fatalf("revisions %d, %d; got %+v", r1, r2, kv)
	}
	if err := s.Delete(ctx, "/gpd/a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, "/gpd/a"); err != nil {
		t.Fatalf("Delete of nothing: %v", err)
	}
	if _, err := s.Get(ctx, "/gpd/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get after Delete: %v", err)
	}
	r3 := must[int64](t)(s.Put(ctx, "/gpd/a", nil, 0))
	if kv := must[store.KV](t)(s.Get(ctx, "/gpd/a")); r3 <= r2 || kv.Create != r3 || len(kv.Value) != 0 {
		t.Fatalf("a key made again: %+v at %d", kv, r3)
	}
}

func testList(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	for _, k := range []string{"/list/b", "/list/a", "/list/a/x", "/lisu", "/list/c%2Fd"} {
		must[int64](t)(s.Put(ctx, k, []byte(k), 0))
	}
	kvs, rev, err := s.List(ctx, "/list/")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, kv := range kvs {
		keys = append(keys, kv.Key)
		if string(kv.Value) != kv.Key || kv.Rev > rev {
			t.Errorf("%+v at %d", kv, rev)
		}
	}
	if want := []string{"/list/a", "/list/a/x", "/list/b", "/list/c%2Fd"}; !slices.Equal(keys, want) {
		t.Fatalf("%q, want %q", keys, want)
	}
}

func testTxn(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	ok, rev, _, err := s.Txn(ctx, []store.Cond{{Key: "/txn/a"}, {Key: "/txn/b"}},
		[]store.Op{store.OpPut("/txn/a", []byte("a"), 0), store.OpPut("/txn/b", []byte("b"), 0)})
	if err != nil || !ok {
		t.Fatalf("create: %v, %v", ok, err)
	}
	a, b := must[store.KV](t)(s.Get(ctx, "/txn/a")), must[store.KV](t)(s.Get(ctx, "/txn/b"))
	if a.Rev != rev || b.Rev != rev {
		t.Fatalf("one transaction at revisions %d, %d, said %d", a.Rev, b.Rev, rev)
	}
	ok, _, current, err := s.Txn(ctx, []store.Cond{{Key: "/txn/none"}, {Key: "/txn/b"}}, []store.Op{store.OpDelete("/txn/a")})
	if err != nil || ok || len(current) != 2 || current[0].Rev != 0 || current[0].Key != "/txn/none" || current[1].Rev != rev || string(current[1].Value) != "b" {
		t.Fatalf("failed compare: %v, %+v, %v", ok, current, err)
	}
	must[store.KV](t)(s.Get(ctx, "/txn/a"))
	if ok, _, _, err = s.Txn(ctx, []store.Cond{{Key: "/txn/a", Rev: rev}}, []store.Op{store.OpDelete("/txn/a"), store.OpPut("/txn/b", []byte("c"), 0)}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := s.Get(ctx, "/txn/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatal("not deleted")
	}
	if ok, _, _, _ := s.Txn(ctx, []store.Cond{{Key: "/txn/b", Rev: rev}}, []store.Op{store.OpDelete("/txn/b")}); ok {
		t.Fatal("a stale revision was accepted")
	}
}

func testClaimers(t *testing.T, h harness) {
	ctx := ctxFor(t)
	stores := []store.Store{h.open(t), h.open(t), h.open(t)}
	for round := range 20 {
		key := fmt.Sprintf("/claim/%d", round)
		won := make(chan int, len(stores))
		for i, s := range stores {
			go func() {
				ok, _, _, err := s.Txn(ctx, []store.Cond{{Key: key}}, []store.Op{store.OpPut(key, []byte{byte(i)}, 0)})
				if err != nil || !ok {
					i = -1
				}
				won <- i
			}()
		}
		winner, n := -1, 0
		for range stores {
			if i := <-won; i >= 0 {
				winner, n = i, n+1
			}
		}
		if kv := must[store.KV](t)(stores[0].Get(ctx, key)); n != 1 || int(kv.Value[0]) != winner {
			t.Fatalf("%d winners", n)
		}
	}
}

// leaseTTL is of leases whose time is watched. Longer than [store.MinTTL], so that a machine that lets nobody
// run for two seconds ends none that is used or renewed.
const leaseTTL = 4 * time.Second

func testLeaseExpires(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	if _, err := s.Put(ctx, "/exp/a", nil, 987654); !errors.Is(err, store.ErrLeaseGone) {
		t.Fatalf("Put with an unknown lease: %v", err)
	}
	lease := must[store.LeaseID](t)(s.Grant(ctx, leaseTTL))
	_, from, _ := s.List(ctx, "/exp/")
	must[int64](t)(s.Put(ctx, "/exp/a", nil, lease))
	if kv := must[store.KV](t)(s.Get(ctx, "/exp/a")); kv.Lease != lease {
		t.Fatalf("%+v", kv)
	}
	for b := range s.Watch(ctx, "/exp/", from+1) {
		if b.Err != nil {
			t.Fatal(b.Err)
		}
		if slices.ContainsFunc(b.Events, func(e store.Event) bool { return e.Deleted }) {
			break
		}
	}
	if _, err := s.Get(ctx, "/exp/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("after expiry: %v", err)
	}
	if _, err := s.Put(ctx, "/exp/a", nil, lease); !errors.Is(err, store.ErrLeaseGone) {
		t.Fatalf("Put with an expired lease: %v", err)
	}
	if _, err := s.KeepAlive(ctx, lease); !errors.Is(err, store.ErrLeaseGone) {
		t.Fatalf("KeepAlive of an expired lease: %v", err)
	}
	if err := s.Revoke(ctx, lease); err != nil {
		t.Fatalf("Revoke of an expired lease: %v", err)
	}
}

func testLeaseKept(t *testing.T, h harness) {
	// It is renewed each third of its time: a machine that lets nobody run for five seconds ends none.
	const ttl = 2 * leaseTTL
	s, ctx := h.open(t), ctxFor(t)
	lease := must[store.LeaseID](t)(s.Grant(ctx, ttl))
	must[int64](t)(s.Put(ctx, "/kept/a", nil, lease))
	lost := must[<-chan struct{}](t)(s.KeepAlive(ctx, lease))
	select {
	case <-lost:
		t.Fatal("lost a lease that was kept alive")
	case <-time.After(leaseTTL + leaseTTL/2):
	}
	must[store.KV](t)(s.Get(ctx, "/kept/a"))
	if err := h.open(t).Revoke(ctx, lease); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "/kept/a"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("after Revoke: %v", err)
	}
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("did not hear of the revoked lease")
	}
	cctx, cancel := context.WithCancel(ctx)
	lease = must[store.LeaseID](t)(s.Grant(ctx, store.MinTTL))
	lost = must[<-chan struct{}](t)(s.KeepAlive(cctx, lease))
	cancel()
	<-lost
}

func testLeaseMoves(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	a := must[store.LeaseID](t)(s.Grant(ctx, time.Minute))
	b := must[store.LeaseID](t)(s.Grant(ctx, time.Minute))
	must[int64](t)(s.Put(ctx, "/move/x", nil, a))
	must[int64](t)(s.Put(ctx, "/move/x", nil, b))
	must[int64](t)(s.Put(ctx, "/move/y", nil, a))
	must[int64](t)(s.Put(ctx, "/move/y", nil, 0))
	if err := s.Revoke(ctx, a); err != nil {
		t.Fatal(err)
	}
	must[store.KV](t)(s.Get(ctx, "/move/x"))
	must[store.KV](t)(s.Get(ctx, "/move/y"))
	if err := s.Revoke(ctx, b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "/move/x"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("%v", err)
	}
}

// read collects n events of a watch.
func read(t *testing.T, ch <-chan store.WatchBatch, n int) []store.Event {
	t.Helper()
	var out []store.Event
	for len(out) < n {
		select {
		case b, ok := <-ch:
			if !ok || b.Err != nil {
				t.Fatalf("watch ended after %d of %d: %v", len(out), n, b.Err)
			}
			out = append(out, b.Events...)
			if b.Rev != out[len(out)-1].Rev {
				t.Fatalf("batch says revision %d, its last event %d", b.Rev, out[len(out)-1].Rev)
			}
		case <-time.After(patience):
			t.Fatalf("watch is silent after %d of %d events", len(out), n)
		}
	}
	return out
}

func testWatch(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	first := must[int64](t)(s.Put(ctx, "/watch/0", []byte("x"), 0))
	for i := 1; i < 10; i++ {
		must[int64](t)(s.Put(ctx, fmt.Sprintf("/watch/%d", i), []byte("x"), 0))
	}
	must[int64](t)(s.Put(ctx, "/other", nil, 0))
	wctx, cancel := context.WithCancel(ctx)
	ch := s.Watch(wctx, "/watch/", first)
	for i, e := range read(t, ch, 10) {
		if e.Key != fmt.Sprintf("/watch/%d", i) || e.Deleted || string(e.Value) != "x" || e.Create != e.Rev {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
	if err := s.Delete(ctx, "/watch/3"); err != nil {
		t.Fatal(err)
	}
	if e := read(t, ch, 1)[0]; !e.Deleted || e.Key != "/watch/3" || len(e.Value) != 0 {
		t.Fatalf("%+v", e)
	}
	_, rev, _, err := s.Txn(ctx, nil, []store.Op{store.OpPut("/watch/a", nil, 0), store.OpPut("/watch/b", nil, 0)})
	if b := <-ch; err != nil || b.Err != nil || len(b.Events) != 2 || b.Rev != rev {
		t.Fatalf("a transaction came as %+v (%v)", b, err)
	}
	cancel()
	for b := range ch {
		t.Fatalf("after the end: %+v", b)
	}
}

func testWatchExpiry(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	lease := must[store.LeaseID](t)(s.Grant(ctx, time.Minute))
	r := must[int64](t)(s.Put(ctx, "/wexp/a", nil, lease))
	must[int64](t)(s.Put(ctx, "/wexp/b", nil, lease))
	ch := s.Watch(ctx, "/wexp/", r)
	read(t, ch, 2)
	if err := s.Revoke(ctx, lease); err != nil {
		t.Fatal(err)
	}
	for _, e := range read(t, ch, 2) {
		if !e.Deleted {
			t.Fatalf("%+v", e)
		}
	}
}

func testCompacted(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	first := must[int64](t)(s.Put(ctx, "/comp/a", nil, 0))
	var last int64
	for range 5 {
		last = must[int64](t)(s.Put(ctx, "/comp/a", nil, 0))
	}
	h.compact(t, last)
	b, ok := <-s.Watch(ctx, "/comp/", first)
	var ce *store.CompactedError
	if !ok || !errors.Is(b.Err, store.ErrCompacted) || !errors.As(b.Err, &ce) || ce.Oldest != last {
		t.Fatalf("%+v", b)
	}
	must[int64](t)(s.Put(ctx, "/comp/a", nil, 0))
	read(t, s.Watch(ctx, "/comp/", last+1), 1)
}

func testAway(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	must[int64](t)(s.Put(ctx, "/away/a", nil, 0))
	h.stop(t)
	defer h.start(t)
	start := time.Now()
	_, err := s.Get(ctx, "/away/a")
	var ue *store.UnavailableError
	if !errors.Is(err, store.ErrUnavailable) || !errors.As(err, &ue) || len(ue.Endpoints) == 0 || ue.Op != "get" {
		t.Errorf("Get: %v", err)
	}
	if _, _, _, err := s.Txn(ctx, []store.Cond{{Key: "/away/b"}}, []store.Op{store.OpPut("/away/b", nil, 0)}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Txn: %v", err)
	}
	if _, err := s.Grant(ctx, time.Minute); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Grant: %v", err)
	}
	cctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(cctx, "/away/a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get with an ended context: %v", err)
	}
	// A generous bound on a promise about hanging, not about speed.
	if d := time.Since(start); d > 3*store.DefaultTimeout+30*time.Second {
		t.Errorf("three calls took %v", d)
	}
}

func testReconnect(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	// Longer than a restart, however busy the machine: who hears nothing of its lease for so long gives it up.
	lease := must[store.LeaseID](t)(s.Grant(ctx, 2*patience))
	r := must[int64](t)(s.Put(ctx, "/rec/a", nil, lease))
	lost := must[<-chan struct{}](t)(s.KeepAlive(ctx, lease))
	ch := s.Watch(ctx, "/rec/", r)
	read(t, ch, 1)
	h.stop(t)
	h.start(t)
	var err error
	for ctx.Err() == nil {
		if _, err = s.Put(ctx, "/rec/b", nil, 0); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if e := read(t, ch, 1)[0]; e.Key != "/rec/b" {
		t.Fatalf("%+v", e)
	}
	must[store.KV](t)(s.Get(ctx, "/rec/a"))
	select {
	case <-lost:
		t.Fatal("a restart shorter than the lease lost it")
	default:
	}
}

func testClosed(t *testing.T, h harness) {
	s, ctx := h.open(t), ctxFor(t)
	ch := s.Watch(ctx, "/closed/", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "/closed/a"); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("%v", err)
	}
	for b := range ch {
		if !errors.Is(b.Err, store.ErrClosed) {
			t.Fatalf("%+v", b)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close again: %v", err)
	}
}
