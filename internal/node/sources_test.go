package node_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"weir/internal/bench/stamp"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// get reads a page of the admin listener.
func (r *running) get(t *testing.T, listener, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + r.listening(listener) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Where servers are learned of is shown, with what fails there and since when; what is joined in the kernel
// is counted, and so is all that has come to the listeners.
func TestSourcesAndSplicedSessionsAreShown(t *testing.T) {
	behind := standalone(t, "one")
	publish(t, behind.addr, "live/cam", stamp.Shape{})
	list := filepath.Join(t.TempDir(), "servers.yaml")
	if err := os.WriteFile(list, []byte("servers: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := quickConfig("front")
	cfg.Node.Roles = []config.Role{config.RoleFront}
	cfg.Admin.Listen, cfg.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Front.Backends.Servers = []config.Server{quickServer("ng", behind.addr, "", config.LoadNone, "")}
	cfg.Front.Backends.File = []string{list}
	f := start(t, cfg)
	sources := func(what string, so func(s []admin.Source) bool) {
		t.Helper()
		var all admin.BackendList
		if !eventually(patience, func() bool {
			var err error
			if all, _, err = f.api().Backends(t.Context()); err != nil {
				t.Fatal(err)
			}
			return so(all.Sources)
		}) {
			t.Fatalf("not %s: %+v", what, all.Sources)
		}
	}
	var good time.Time
	sources("read", func(s []admin.Source) bool {
		if len(s) != 2 || s[0].Name != "static" || s[0].Servers != 1 || s[1].Name != "file:"+list || s[1].Updated.IsZero() {
			return false
		}
		good = s[1].Updated
		return time.Since(good) < time.Minute && s[1].Failing == ""
	})
	if err := os.WriteFile(list, []byte("servers: [b1"), 0o644); err != nil {
		t.Fatal(err)
	}
	sources("failing", func(s []admin.Source) bool {
		return s[1].Failing != "" && s[1].Failures > 0 && !s[1].Updated.Before(good) && s[0].Failing == ""
	})

	watch(t, f.addr, "live/cam")
	if s := f.sessionsOf(t, "", 1)[0]; s.How != "spliced" || s.Backend != "ng" {
		t.Errorf("%+v", s)
	}
	text := f.get(t, "admin", "/metrics")
	for _, want := range []string{`weir_backend_source_servers{node="front",source="static"} 1`, `weir_backend_source_failing{node="front",source="file:` + list + `"} 1`,
		`weir_backend_source_failing{node="front",source="static"} 0`, `weir_backend_source_updated_timestamp_seconds{node="front",source="file:` + list + `"} 1.`,
		`weir_front_viewers{how="spliced",node="front"} 1`, `weir_front_viewers{how="carried",node="front"} 0`,
		`weir_spliced_sessions{node="front"} 1`, `weir_spliced_pipes{node="front"} `, `weir_spliced_lane{node="front"} `} {
		if !strings.Contains(text, want) {
			t.Errorf("no metric %s", want)
		}
	}
	if !eventually(patience, func() bool {
		return f.metric(t, "front", "weir_relay_received_bytes_total") > 200_000 && f.metric(t, "front", "weir_session_sent_bytes_total", `role="viewer"`) > 200_000
	}) {
		t.Error("what is spliced does not count as it moves")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "weir_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}

	for range 3 {
		f.get(t, "http", "/nothing")
	}
	_, lines := statistics(t, "http://"+f.listening("admin")+"/haproxy;csv")
	if rtmp, http := lines["rtmp/FRONTEND"], lines["http/FRONTEND"]; rtmp["stot"] != "1" || rtmp["scur"] != "1" || http["stot"] != "3" || http["scur"] != "0" {
		t.Errorf("rtmp %s of %s, http %s of %s", rtmp["scur"], rtmp["stot"], http["scur"], http["stot"])
	}
}
