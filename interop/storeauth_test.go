package interop_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"weir/internal/proctest"
)

// secureEtcd is Debian's etcd, which asks for a certificate, a user and a password, and
// forgets in a second who has shown them.
type secureEtcd struct {
	dir, client, peer string
	cert, key         string
	p                 *process
}

func startSecureEtcd(t *testing.T) *secureEtcd {
	t.Helper()
	e := &secureEtcd{dir: t.TempDir(), client: "https://" + proctest.Addr(t), peer: "http://" + proctest.Addr(t)}
	e.cert, e.key = certificate(t)
	e.start(t)
	for _, command := range []string{
		"user add root:toor", "user grant-role root root",
		"role add weir", "role grant-permission weir readwrite --prefix=true /weir/", "user add weir:s3cret", "user grant-role weir weir",
		"auth enable",
	} {
		if out, err := e.ctl(strings.Fields(command)...); err != nil {
			t.Fatalf("etcdctl %s: %v\n%s", command, err, out)
		}
	}
	return e
}

func (e *secureEtcd) start(t *testing.T) {
	t.Helper()
	e.p = start(t, "etcd", tool(t, "etcd"), "--data-dir", e.dir, "--name", "etcd", "--auth-token-ttl", "1",
		"--cert-file", e.cert, "--key-file", e.key, "--trusted-ca-file", e.cert, "--client-cert-auth",
		"--listen-client-urls", e.client, "--advertise-client-urls", e.client,
		"--listen-peer-urls", e.peer, "--initial-advertise-peer-urls", e.peer, "--initial-cluster", "etcd="+e.peer)
	eventually(t, "etcd answers", func() error {
		out, err := e.ctl("--user", "root:toor", "get", "/weir/")
		if err != nil && strings.Contains(string(out), "authentication is not enabled") {
			return nil // it answers
		}
		return err
	})
}

func (e *secureEtcd) ctl(args ...string) ([]byte, error) {
	return exec.Command("etcdctl", append([]string{"--endpoints", e.client, "--cacert", e.cert, "--cert", e.cert, "--key", e.key}, args...)...).CombinedOutput()
}

// config is a node's file; credentials are YAML lines of store.
func (e *secureEtcd) config(credentials string) string {
	return fmt.Sprintf("store:\n  kind: etcd\n  endpoints: [%q]\n%s", e.client, credentials)
}

// P2: a store that asks who is there is a store like any other, also after it has forgotten.
func TestP2StoreWithTLSAndCredentials(t *testing.T) {
	e := startSecureEtcd(t)
	certs := fmt.Sprintf("  tls: {ca: %q, cert: %q, key: %q}\n", e.cert, e.cert, e.key)
	config := e.config(certs + "  user: weir\n  password: s3cret\n")

	// Those that are refused take the whole of their time to start; the others use it.
	stranger, _ := certificate(t)
	refused := []struct {
		name, credentials, says string
		n                       *node
	}{
		{name: "wrong password", credentials: certs + "  user: weir\n  password: guess\n", says: "user and password"},
		{name: "no user", credentials: certs, says: "user and password"},
		{name: "another authority", credentials: fmt.Sprintf("  tls: {ca: %q}\n  user: weir\n  password: s3cret\n", stranger), says: "certificate"},
		{name: "no certificate of its own", credentials: fmt.Sprintf("  tls: {ca: %q}\n  user: weir\n  password: s3cret\n", e.cert), says: "certificate"},
	}
	for i, r := range refused {
		refused[i].n = launchNode(t, nodeOptions{name: fmt.Sprintf("n%d", i+1), roles: "origin", config: e.config(r.credentials)})
	}

	o1 := launchNode(t, nodeOptions{name: "o1", roles: "origin", config: config})
	e1 := startNode(t, nodeOptions{name: "e1", roles: "edge", config: config})
	o1.ready(t)
	plays := func(name string) {
		t.Helper()
		p := publishFrames(t, o1.listening["rtmp"], name)
		p.onAir(t)
		v, _ := p.watch(t, "the edge", e1.listening["rtmp"])
		eventually(t, name+" plays at the edge", func() error {
			if r := v.Report(); r.Video < 25 || r.Foreign > 0 {
				return fmt.Errorf("%+v", r)
			}
			return nil
		})
	}
	both := func() error {
		nodes, err := e1.nodes()
		if err == nil && len(nodes) != 2 {
			err = fmt.Errorf("%d nodes", len(nodes))
		}
		return err
	}
	plays("before")
	holds(t, 3*time.Second, "both nodes are known, whose tokens are over", both)
	for _, r := range refused {
		if err := r.n.wait(patience); err == nil || r.n.running() == nil {
			t.Fatalf("%s: it does not end in failure: %v", r.name, err)
		}
		if text := string(r.n.log.Tail(4 << 10)); !strings.Contains(text, r.says) || strings.Contains(text, "guess") {
			t.Errorf("%s: it says\n%s", r.name, text)
		}
	}

	e.p.kill()
	e.start(t) // it knows no token any more
	plays("after")
	eventually(t, "the registry has both streams", func() error {
		for _, name := range []string{"before", "after"} {
			if out, err := e.ctl("--user", "root:toor", "get", "--keys-only", "/weir/1/streams/live/"+name); err != nil || !strings.Contains(string(out), name) {
				return fmt.Errorf("%s: %v: %s", name, err, out)
			}
		}
		return nil
	})
}
