package node_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"weir/internal/control/store"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/proctest"
)

// readyz asks a node whether it is ready.
func (r *running) readyz(t *testing.T) (code int, text string) {
	t.Helper()
	resp, err := http.Get("http://" + r.listening("admin") + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// says waits until a node's readiness is as wanted.
func (r *running) says(t *testing.T, code int, part string) {
	t.Helper()
	var got int
	var text string
	if !eventually(patience, func() bool {
		got, text = r.readyz(t)
		return got == code && strings.Contains(text, part)
	}) {
		t.Errorf("/readyz: %d %s, want %d and %q", got, text, code, part)
	}
}

// A front whose servers are all down sends its clients elsewhere, and is back with them.
func TestAFrontWithoutServersIsNotReady(t *testing.T) {
	server := quickConfig("server")
	server.RTMP.Listen = proctest.Addr(t)
	cfg := quickConfig("front")
	cfg.Node.Roles, cfg.Admin.Listen = []config.Role{config.RoleFront}, "127.0.0.1:0"
	s := quickServer("a", server.RTMP.Listen, "", config.LoadNone, "")
	cfg.Front.Backends.Servers = []config.Server{s}
	f := start(t, cfg)
	const down = "no server can take a session: no server is healthy"
	f.says(t, 503, down)
	start(t, server)
	f.says(t, 200, `"ready": true`)
	if _, err := f.api().OrderBackend(t.Context(), "a", "drain"); err != nil {
		t.Fatal(err)
	}
	f.says(t, 503, "all servers are drained")
	if _, err := f.api().OrderBackend(t.Context(), "a", "ready"); err != nil {
		t.Fatal(err)
	}
	f.becomes(t, "a", "up", func(b *admin.Backend) bool { return b.State == "up" })
	f.says(t, 200, `"ready": true`)
}

// A node that hands over what it has gets nothing new, although it could carry it elsewhere.
func TestADrainedNodeIsNotReady(t *testing.T) {
	cfg := quickConfig("n1")
	cfg.Admin.Listen = "127.0.0.1:0"
	n := start(t, cfg)
	n.says(t, 200, `"ready": true`)
	if err := n.api().Drain(t.Context(), "n1", 0); err != nil {
		t.Fatal(err)
	}
	n.says(t, 503, `"part": "drain"`)
	if err := n.api().Undrain(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	n.says(t, 200, `"ready": true`)
}

// P2: a node without its store says so, and takes sessions.
func TestP2ANodeWithoutItsStoreIsReady(t *testing.T) {
	m := store.NewMemory()
	n, _ := startIn(t, m, "n1", config.RoleFront, config.RoleOrigin, config.RoleEdge)
	n.says(t, 200, `"problems": []`)
	m.Stop()
	n.says(t, 200, "the store does not answer")
	m.Resume()
	n.says(t, 200, `"problems": []`)
}
