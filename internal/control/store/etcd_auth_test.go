package store_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"weir/internal/control/store"
	"weir/internal/control/store/storetest"
)

// A token that the server does not know any more is asked for once, by however many calls find that out;
// and a password that was changed is told as a refusal.
func TestEtcdTokensAreRenewedOnce(t *testing.T) {
	e := storetest.StartEtcd(t)
	plain, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	ctx := ctxFor(t)
	for _, step := range []func() error{
		func() error { _, err := plain.UserAdd(ctx, "root", "toor"); return err },
		func() error { _, err := plain.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := plain.RoleAdd(ctx, "weir"); return err },
		func() error {
			_, err := plain.RoleGrantPermission(ctx, "weir", "/w/", clientv3.GetPrefixRangeEnd("/w/"), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := plain.UserAdd(ctx, "weir", "s3cret"); return err },
		func() error { _, err := plain.UserGrantRole(ctx, "weir", "weir"); return err },
		func() error { _, err := plain.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{e.Endpoint}, Username: "weir", Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	must[int64](t)(s.Put(ctx, "/w/k", nil, 0))

	root, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Endpoint}, Username: "root", Password: "toor"})
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := root.UserChangePassword(ctx, "weir", "s3cret"); err != nil { // ends the tokens
		t.Fatal(err)
	}
	before := authentications(t, e.Endpoint)
	var calls sync.WaitGroup
	for range 64 {
		calls.Go(func() {
			if _, err := s.Get(ctx, "/w/k"); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := authentications(t, e.Endpoint) - before; n != 1 {
		t.Errorf("64 calls asked for %d tokens", n)
	}

	if _, err := root.UserChangePassword(ctx, "weir", "another"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "/w/k", nil, 0); !errors.Is(err, store.ErrDenied) {
		t.Errorf("after the password was changed: %v", err)
	}
	if _, err := root.UserChangePassword(ctx, "weir", "s3cret"); err != nil {
		t.Fatal(err)
	}
	must[int64](t)(s.Put(ctx, "/w/k", nil, 0))
}

var authenticated = regexp.MustCompile(`(?m)^grpc_server_started_total\{grpc_method="Authenticate",.*\} (\d+)$`)

// authentications is how often etcd has been asked for a token.
func authentications(t *testing.T, endpoint string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+endpoint+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := authenticated.FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
