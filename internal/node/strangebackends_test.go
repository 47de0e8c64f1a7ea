package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"weir/internal/bench/stamp"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/proctest"
)

// api asks a node's admin listener.
func (r *running) api() admin.Client { return admin.Client{URL: "http://" + r.listening("admin")} }

// backend is what a node says of a server that is no node.
func (r *running) backend(t *testing.T, name string) admin.Backend {
	t.Helper()
	all, _, err := r.api().Backends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := all.Backends
	i := slices.IndexFunc(list, func(b admin.Backend) bool { return b.Name == name })
	if i < 0 {
		t.Fatalf("no backend %s among %d", name, len(list))
	}
	return list[i]
}

// becomes waits until a backend is as a test wants it.
func (r *running) becomes(t *testing.T, name, what string, so func(b *admin.Backend) bool) admin.Backend {
	t.Helper()
	var b admin.Backend
	if !eventually(patience, func() bool { b = r.backend(t, name); return so(&b) }) {
		t.Fatalf("%s: not %s within %v: %+v", name, what, patience, b)
	}
	return b
}

// program starts a program until the test ends.
func program(t *testing.T, name string, args ...string) *os.Process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install with scripts/install-tools.sh", name)
	}
	cmd := exec.Command(path, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, out.String())
		}
	})
	return cmd.Process
}

// accepts waits until somebody listens at an address.
func accepts(t *testing.T, addr string) {
	t.Helper()
	if !eventually(patience, func() bool {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		nc.Close()
		return true
	}) {
		t.Fatalf("nobody listens at %s", addr)
	}
}

// nginxRTMP is a real nginx-rtmp.
type nginxRTMP struct {
	rtmp, proxied, http string
	process             *os.Process
}

func startNginxRTMP(t *testing.T, stat string) *nginxRTMP {
	t.Helper()
	dir := t.TempDir()
	n := &nginxRTMP{rtmp: proctest.Addr(t), proxied: proctest.Addr(t), http: proctest.Addr(t)}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; error_log stderr warn; pid %[1]s/pid;
events { worker_connections 256; }
rtmp { access_log off; server { listen %[2]s; listen %[3]s proxy_protocol; chunk_size 65536; application live { live on; } } }
http { access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	server { listen %[4]s; location /stat { rtmp_stat %[5]s; } location /health { return 204; } } }
`, dir, n.rtmp, n.proxied, n.http, stat)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n.process = program(t, "nginx", "-p", dir, "-c", conf)
	accepts(t, n.rtmp)
	return n
}

// publish publishes a stamped stream at a server until the test ends.
func publish(t *testing.T, addr, name string, shape stamp.Shape) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	accepted, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = stamp.Publish(ctx, stamp.PublishOptions{URL: "rtmp://" + addr + "/" + name, Feed: stamp.NewSource(name, 1, shape), Accepted: func() { close(accepted) }})
	}()
	t.Cleanup(func() { stop(); <-ended })
	await(t, accepted)
}

// watch watches a stream until the test ends.
func watch(t *testing.T, addr, name string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	v, err := stamp.NewViewer(stamp.ViewOptions{URL: "rtmp://" + addr + "/" + name})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = v.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
}

// quickServer is a backend that is looked at often.
func quickServer(name, rtmp, http string, kind config.LoadKind, url string) config.Server {
	s := config.Server{Name: name, RTMP: rtmp, HTTP: http}
	s.Check = config.CheckSettings{Interval: new(200 * time.Millisecond), Timeout: new(500 * time.Millisecond)}
	s.Load = config.LoadSettings{Kind: &kind, URL: &url, Interval: new(500 * time.Millisecond)}
	return s
}

// watcher is a node with backends that it watches; its own publishers and viewers stay at it.
func watcher(t *testing.T, name string, servers ...config.Server) *running {
	t.Helper()
	cfg := quickConfig(name)
	cfg.Node.Roles = []config.Role{config.RoleOrigin, config.RoleEdge}
	cfg.Admin.Listen = "127.0.0.1:0"
	cfg.Front.Backends.Servers = servers
	return start(t, cfg)
}

func TestNginxRTMPIsWatched(t *testing.T) {
	all, live := startNginxRTMP(t, "all"), startNginxRTMP(t, "live")
	proxied := quickServer("proxied", all.proxied, "", config.LoadNone, "")
	proxied.Announce = new(config.AnnounceProxyV1)
	web := quickServer("web", "", all.http, config.LoadNone, "")
	web.Check.Kind, web.Check.URL = new(config.CheckHTTP), new("http://"+all.http+"/health")
	n := watcher(t, "watcher", quickServer("all", all.rtmp, all.http, config.LoadNginx, "http://"+all.http+"/stat"),
		quickServer("live", live.rtmp, live.http, config.LoadNginx, "http://"+live.http+"/stat"), proxied, web)
	up := func(b *admin.Backend) bool { return b.State == "up" && b.Health.State == "up" }
	for _, name := range []string{"all", "live", "proxied", "web"} {
		n.becomes(t, name, "up", up)
	}
	if b := n.backend(t, "web"); b.Health.Status != "L7OK" || b.Health.Code != 204 {
		t.Errorf("the HTTP check: %+v", b.Health)
	}

	for _, srv := range []struct {
		name string
		*nginxRTMP
	}{{"all", all}, {"live", live}} {
		publish(t, srv.rtmp, "live/a&<b", stamp.Shape{VideoBitrate: 2_000_000})
		publish(t, srv.rtmp, "live/c", stamp.Shape{VideoBitrate: 1_000_000})
		watch(t, srv.rtmp, "live/c")
		watch(t, srv.rtmp, "live/nobody") // an idle stream is none that it has
	}
	for _, name := range []string{"all", "live"} {
		b := n.becomes(t, name, "carrying two streams, each way at its bitrate", func(b *admin.Backend) bool {
			l := b.Load
			return l.From == "nginx" && l.Publishers == 2 && l.Sessions == 4 && b.Streams == 2 && l.Ingress > 2.5e6 && l.Ingress < 4.5e6 && l.Egress > 0.8e6 && l.Egress < 2e6
		})
		one := struct{ Has []string }{}
		resp, err := http.Get("http://" + n.listening("admin") + "/api/v1/backends/" + b.Name)
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&one)
		resp.Body.Close()
		if err != nil || !slices.Equal(one.Has, []string{"live/a&<b", "live/c"}) {
			t.Errorf("%s has %q, %v", name, one.Has, err)
		}
	}

	if err := live.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b := n.becomes(t, "live", "down", func(b *admin.Backend) bool { return b.State == "down" })
	if b.Health.Status != "L7TOUT" || !strings.Contains(b.Health.Reason, "accepts connections, but no RTMP handshake within 500ms: frozen or overloaded") {
		t.Errorf("frozen: %+v", b.Health)
	}
	n.becomes(t, "live", "known to be silent about its load", func(b *admin.Backend) bool {
		return strings.Contains(b.Load.Problem, "no complete answer") && b.Streams == 2
	})
	if err := live.process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	n.becomes(t, "live", "up again", func(b *admin.Backend) bool { return up(b) && b.Load.Problem == "" })
	if err := live.process.Kill(); err != nil {
		t.Fatal(err)
	}
	b = n.becomes(t, "live", "down", func(b *admin.Backend) bool { return b.State == "down" })
	if b.Health.Status != "L4CON" || !strings.Contains(b.Health.Reason, live.rtmp+": connection refused, nothing listens there") {
		t.Errorf("killed: %+v", b.Health)
	}
	if b := n.backend(t, "all"); b.State != "up" {
		t.Errorf("the other: %+v", b)
	}

	resp, err := http.Get("http://" + n.listening("admin") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	problems, err := promlint.New(teeText{resp.Body, &text}).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "weir_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, want := range []string{`weir_backend_up{backend="all",node="watcher"} 1`, `weir_backend_up{backend="live",node="watcher"} 0`,
		`weir_backend_state{backend="live",node="watcher",state="down"} 1`, `weir_backend_publishers{backend="all",node="watcher"} 2`, `weir_backend_downs_total{node="watcher"} 2`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no metric %s", want)
		}
	}
}

// teeText is a reader that keeps what is read.
type teeText struct {
	from interface{ Read([]byte) (int, error) }
	to   *strings.Builder
}

func (r teeText) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.to.Write(p[:n])
	return n, err
}

// liar is a server whose statistics are whatever a test says.
type liar struct {
	*httptest.Server
	page atomic.Pointer[http.HandlerFunc]
}

func newLiar(t *testing.T) *liar {
	l := &liar{}
	l.says(truth)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*l.page.Load())(w, r) }))
	t.Cleanup(func() { l.says(truth); l.CloseClientConnections(); l.Close() })
	return l
}

func (l *liar) says(f http.HandlerFunc) { l.page.Store(&f) }

// truth is right for every kind of load.
func truth(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/stat":
		fmt.Fprint(w, `<rtmp><pid>1</pid><bytes_in>1</bytes_in><bytes_out>1</bytes_out><server><application><name>live</name><live><stream><name>s</name><nclients>1</nclients><publishing/></stream><nclients>1</nclients></live></application></server></rtmp>`)
	case strings.HasPrefix(r.URL.Path, "/v3/"):
		fmt.Fprint(w, `{"pageCount":1,"itemCount":1,"items":[{"name":"live/s","ready":true,"source":{"type":"rtmpConn"},"readers":[]}]}`)
	default:
		fmt.Fprint(w, `{"code":0,"data":{"ok":true},"streams":[{"id":"s","app":"live","name":"s","publish":{"active":true}}],"clients":[{"id":"c","publish":true}]}`)
	}
}

// P4: a backend may say of itself what it likes. Its last good view is kept, an operator is told, and nobody
// else is the worse for it.
func TestP4BackendsThatLieHurtNobody(t *testing.T) {
	blanks := []byte(strings.Repeat(" ", 64<<10))
	endless := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[bool]string{true: "<rtmp>", false: "{"}[r.URL.Path == "/stat"])
		for _, err := w.Write(blanks); err == nil; _, err = w.Write(blanks) {
		}
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
	}
	kinds := []config.LoadKind{config.LoadNginx, config.LoadSRS, config.LoadMediaMTX}
	var liars []*liar
	var servers []config.Server
	// All that is a server's but its words: somebody who shakes hands.
	rtmp := startNginxRTMP(t, "all")
	for _, k := range kinds {
		l := newLiar(t)
		liars = append(liars, l)
		url := l.URL
		if k == config.LoadNginx {
			url += "/stat"
		}
		servers = append(servers, quickServer(string(k), rtmp.rtmp, "", k, url))
	}
	honest := newLiar(t)
	servers = append(servers, quickServer("honest", rtmp.rtmp, "", config.LoadNginx, honest.URL+"/stat"))
	n := watcher(t, "liars", servers...)
	for _, s := range servers {
		n.becomes(t, s.Name, "known", func(b *admin.Backend) bool { return b.State == "up" && b.Streams == 1 && b.Load.Problem == "" })
	}
	http.DefaultClient.CloseIdleConnections()
	c := sing(t, n, n)
	for _, lie := range []struct {
		name   string
		does   http.HandlerFunc
		within string // of the reason, for all kinds
	}{
		{"garbage", text("\x00\xff garbage"), "the answer is not"},
		{"a web page", text("<!DOCTYPE html><html>It works!</html>"), ""},
		{"wrong JSON", text(`{"code":"many","data":[],"pageCount":1,"items":{}}`), ""},
		{"an entity bomb", text(`<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><rtmp>&b;</rtmp>`), ""},
		{"an endless body", endless, "answer"}, // it has no end, or none in time
		{"a body that hangs", func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() }, "no complete answer within"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/", http.StatusFound)
		}, "redirects to 169.254.169.254 (status 302), which is not followed"},
		{"depth", text(strings.Repeat("<rtmp>", 10_000)), ""},
		{"an error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "answers with status 502"},
	} {
		t.Run(lie.name, func(t *testing.T) {
			for _, l := range liars {
				l.says(lie.does)
			}
			var wg sync.WaitGroup
			for _, k := range kinds {
				wg.Go(func() {
					var b admin.Backend
					if !eventually(patience, func() bool {
						b = n.backend(t, string(k))
						return b.Load.Problem != "" && strings.Contains(b.Load.Problem, lie.within)
					}) {
						t.Errorf("%s: %q, want %q", k, b.Load.Problem, lie.within)
					}
					if b.Streams != 1 || b.State != "up" || b.Load.Publishers != 1 {
						t.Errorf("%s: the last good view is gone: %+v", k, b)
					}
				})
			}
			wg.Wait()
			noticed := time.Now()
			n.becomes(t, "honest", "heard all the same", func(b *admin.Backend) bool { return b.Load.Problem == "" && b.Load.Seen.After(noticed) })
			for _, l := range liars {
				l.says(truth)
			}
			for _, k := range kinds {
				n.becomes(t, string(k), "believed again", func(b *admin.Backend) bool { return b.Load.Problem == "" })
			}
			http.DefaultClient.CloseIdleConnections() // this test's own
			c.unharmed(t)
			if g := c.grown(); g > 32<<20 {
				t.Errorf("%d MiB are left of it", g>>20)
			}
		})
	}
}

func TestOrdersReachAllFronts(t *testing.T) {
	cfg, endpoint := embedded(t, "f1", config.RoleFront)
	server := quickServer("edge1", proctest.Addr(t), "", config.LoadNone, "")
	cfg.Admin.Listen, cfg.Front.Backends.Servers = "127.0.0.1:0", []config.Server{server}
	f1 := start(t, cfg)
	other := quickConfig("f2")
	other.Node.Roles = []config.Role{config.RoleFront}
	other.Store.Kind, other.Store.Endpoints, other.Store.Secret = config.StoreEtcd, []string{endpoint}, cfg.Store.Secret
	only := quickServer("edge2", proctest.Addr(t), "", config.LoadNone, "") // known to this front alone
	other.Admin.Listen, other.Front.Backends.Servers = "127.0.0.1:0", []config.Server{server, only}
	f2 := start(t, other)
	f1.sees(t, "f2")
	ctx := t.Context()
	f1.order(t, "edge1", "maint")
	if _, err := f1.api().WeighBackend(ctx, "edge1", 2.5); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*running{f1, f2} {
		if b := f.backend(t, "edge1"); b.State != "maint" || b.Operator != "maint" || b.Weight != 2.5 || !b.Set {
			t.Errorf("%+v", b)
		}
	}
	if _, err := f1.api().OrderBackend(ctx, "edge2", "drain"); err != nil {
		t.Error(err)
	}
	if b := f2.backend(t, "edge2"); b.Operator != "drain" {
		t.Errorf("%+v", b)
	}
	for _, do := range []func() error{
		func() error { _, err := f1.api().OrderBackend(ctx, "nosuch", "drain"); return err },
		func() error { _, err := f1.api().WeighBackend(ctx, "edge1", -1); return err },
		func() error { _, err := f1.api().WeighBackend(ctx, "edge1", 1e9); return err },
	} {
		if err := do(); err == nil {
			t.Error("an order that cannot be carried out was taken")
		}
	}
	if _, err := f2.api().WeighBackend(ctx, "edge1", 0); err != nil {
		t.Error(err)
	}
	if b := f1.backend(t, "edge1"); b.Weight != 1 || b.Set {
		t.Errorf("%+v", b)
	}
}
