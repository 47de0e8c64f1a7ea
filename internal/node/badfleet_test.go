package node_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/ops/secret"
	"weir/internal/stream"
	"weir/rtmp"
)

// nameServer answers as a test says.
type nameServer struct {
	addr string
	does atomic.Pointer[dns.HandlerFunc]
}

func newNameServer(t *testing.T, does dns.HandlerFunc) *nameServer {
	t.Helper()
	s := &nameServer{}
	s.does.Store(&does)
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = pc.LocalAddr().String()
	server := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { (*s.does.Load())(w, q) })}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.ActivateAndServe() }()
	t.Cleanup(func() { pc.Close(); <-ended })
	return s
}

// here answers that the name is this machine, for a second.
func here(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)})
	_ = w.WriteMsg(m)
}

// sources is a node as an operator sees where it learns of servers. It keeps the node's addresses: a flood
// of lines makes the log forget where it listens.
type sources struct {
	t            *testing.T
	api          admin.Client
	registration string
}

func (s *sources) servers() (names []string) {
	s.t.Helper()
	all, _, err := s.api.Backends(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, b := range all.Backends {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
}

// failing waits until a source of servers says why it fails.
func (s *sources) failing(source, within string) {
	s.t.Helper()
	var why string
	if !eventually(patience, func() bool {
		all, _, err := s.api.Backends(s.t.Context())
		if err != nil {
			return false
		}
		i := slices.IndexFunc(all.Sources, func(s admin.Source) bool { return strings.HasPrefix(s.Name, source) })
		if i >= 0 {
			why = all.Sources[i].Failing
		}
		return i >= 0 && why != "" && strings.Contains(why, within)
	}) {
		s.t.Errorf("%s: fails for %q, want %q", source, why, within)
	}
}

// P4: who says which servers there are may fail, lie or be a stranger. The last good view is kept, and nobody
// who has a server is the worse for it.
func TestP4SourcesThatFailHurtNobody(t *testing.T) {
	home, byName := start(t, quickConfig("home")), start(t, quickConfig("byname"))
	_, port, err := net.SplitHostPort(byName.addr)
	if err != nil {
		t.Fatal(err)
	}
	resolver := newNameServer(t, here)
	var page atomic.Pointer[http.HandlerFunc]
	says := func(f http.HandlerFunc) { page.Store(&f) }
	list := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"servers":[{"name":"home","rtmp":%q}]}`, home.addr)
	}
	says(list)
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*page.Load())(w, r) }))
	t.Cleanup(lists.Close)

	cfg := quickConfig("front")
	cfg.Node.Roles, cfg.Admin.Listen = []config.Role{config.RoleFront}, "127.0.0.1:0"
	var p int
	fmt.Sscan(port, &p)
	cfg.Front.Backends = config.Backends{
		DNS:  []config.DNSBackends{{Name: "media.example.com", Port: p, Resolver: resolver.addr}},
		HTTP: []config.HTTPBackends{{URL: lists.URL, Interval: 500 * time.Millisecond}},
		SRS:  config.SRSBackends{Listen: "127.0.0.1:0", Token: secret.New("t0ken"), Expire: time.Second},
	}
	f := start(t, cfg)
	known := &sources{t, f.api(), f.listening("srs registration")}
	good := []string{byName.addr, "home"}
	slices.Sort(good)
	if !eventually(patience, func() bool { return slices.Equal(known.servers(), good) }) {
		t.Fatalf("the servers are %v, want %v", known.servers(), good)
	}
	client := &http.Client{Transport: &http.Transport{}}
	register := func(i int, token string) int {
		body := fmt.Sprintf(`{"ip": "127.0.0.1", "server": "s%d", "service": "x", "pid": "1", "rtmp": ["%d"]}`, i, 20_000+i)
		resp, err := client.Post("http://"+known.registration+"/api/v1/srs/register"+token, "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, server := range []*running{home, byName} {
		a := newAttack(t, server) // what it opens with its first session stays
		a.publishing("first")
		a.leave()
		a.close()
	}
	c := sing(t, f, f)
	for _, tc := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"a list that redirects", func(t *testing.T) {
			says(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/servers", http.StatusFound)
			})
			known.failing("http:", "it answers 302")
			says(list)
		}},
		{"a name server that fails", func(t *testing.T) {
			fails := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
				_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
			})
			resolver.does.Store(&fails)
			known.failing("dns:", "")
		}},
		{"a name server that is silent", func(t *testing.T) {
			silent := dns.HandlerFunc(func(dns.ResponseWriter, *dns.Msg) {})
			resolver.does.Store(&silent)
			known.failing("dns:", "")
		}},
		{"registrations without the token", func(t *testing.T) {
			for i := range 1000 {
				if code := register(i, ""); code != http.StatusUnauthorized {
					t.Fatalf("registration %d is answered with %d", i, code)
				}
			}
		}},
		{"a flood of registrations", func(t *testing.T) {
			answers := map[int]int{}
			for i := range 2000 {
				answers[register(i, "?token=t0ken")]++
			}
			if answers[http.StatusServiceUnavailable] == 0 || answers[http.StatusOK]+answers[http.StatusServiceUnavailable] != 2000 {
				t.Errorf("answered %v", answers)
			}
			// They are checked, found dead and forgotten; sessions that were on the way there would be
			// waited for for a quarter of a minute.
			if !eventually(patience, func() bool { return len(known.servers()) == len(good) && runtime.NumGoroutine() <= c.goroutines+5 }) {
				t.Errorf("%d servers are left", len(known.servers()))
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.do(t)
			if got := known.servers(); !slices.Equal(got, good) {
				t.Errorf("the last good view is gone: %v", got)
			}
			a := newAttack(t, f) // and somebody new gets in
			a.publishing("new-" + strings.ReplaceAll(tc.name, " ", "-"))
			a.leave()
			a.close()
			answers := dns.HandlerFunc(here)
			resolver.does.Store(&answers)
			says(list)
			client.CloseIdleConnections()
			lists.CloseClientConnections()
			http.DefaultClient.CloseIdleConnections()
			c.unharmed(t)
		})
	}
}

// A fleet that is full, and one that is empty: each client gets an answer with the reason, over RTMP and HTTP, and who has
// a place keeps it.
func TestP4AFullOrEmptyFleetAnswers(t *testing.T) {
	server := quickConfig("home")
	server.HTTP.Listen = "127.0.0.1:0"
	home := start(t, server)
	list := filepath.Join(t.TempDir(), "servers.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list+"~", []byte("servers:"+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(list+"~", list); err != nil {
			t.Fatal(err)
		}
	}
	limited := func(publishers, connections int) string {
		return fmt.Sprintf("\n  - {name: home, rtmp: %q, http: %q, max_publishers: %d, max_connections: %d}", home.addr, home.listening("http"), publishers, connections)
	}
	write(limited(0, 0))
	cfg := quickConfig("front")
	cfg.Node.Roles, cfg.Admin.Listen, cfg.HTTP.Listen = []config.Role{config.RoleFront}, "127.0.0.1:0", "127.0.0.1:0"
	cfg.Front.Backends.File = []string{list}
	f := start(t, cfg)
	known := f.api()
	if !eventually(patience, func() bool {
		all, _, err := known.Backends(t.Context())
		return err == nil && len(all.Backends) == 1 && all.Backends[0].Health.State == "up"
	}) {
		t.Fatal("the server is not known")
	}
	c := sing(t, f, f)
	for _, tc := range []struct {
		name, servers string
		left          int
		why           string
	}{
		{"full", limited(1, 4), 1, "all servers are full"},   // of the canary
		{"empty", " []", 0, "no server takes such sessions"}, // but the front itself, which is none
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(tc.servers)
			if !eventually(patience, func() bool {
				r, _, err := known.Route(t.Context(), admin.RouteQuery{Name: stream.Name{App: "live", Stream: "s"}, Publish: true})
				all, _, failed := known.Backends(t.Context())
				return errors.Join(err, failed) == nil && r.Node == "" && len(all.Backends) == tc.left
			}) {
				t.Fatal("somebody takes publishers")
			}
			a := newAttack(t, f)
			for code, ask := range map[string][]any{rtmp.CodePublishRejected: {"publish", "s", "live"}, rtmp.CodePlayFailed: {"play", "s"}} {
				conn := a.connected()
				conn.SetReadDeadline(time.Now().Add(patience))
				id, err := conn.CreateStreamNow()
				if err != nil {
					t.Fatal(err)
				}
				err = a.ask(conn, id, "none", ask[0].(string), ask[1:]...)
				var no *rtmp.StatusError
				if !errors.As(err, &no) || no.Status.Code != code || !strings.Contains(no.Status.Description, tc.why) {
					t.Errorf("%s: %v, want %s for %q", ask[0], err, code, tc.why)
				}
			}
			a.leave()
			a.close()
			for _, path := range []string{"/live/canary.flv", "/live/s.m3u8", "/healthz", "/healthz?for=publish"} {
				resp, err := http.Get("http://" + f.listening("http") + path)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %s, Retry-After %q", path, resp.Status, resp.Header.Get("Retry-After"))
				}
			}
			http.DefaultClient.CloseIdleConnections()
			c.unharmed(t)
		})
	}
}
