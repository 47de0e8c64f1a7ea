package node_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"weir/internal/control/store"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// whipServer takes publishers as RFC 9725 has it: an offer makes a session, which is trickled to and
// deleted under the URL that it is told.
type whipServer struct {
	name string
	addr string

	mu       sync.Mutex
	sessions map[string]string // by path, the path that they were offered to
	total    int
	strange  []string // requests that no client of it can have meant
}

func newWHIP(t *testing.T, name string) *whipServer {
	t.Helper()
	w := &whipServer{name: name, sessions: map[string]string{}}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.addr = s.Listener.Addr().String()
	return w
}

func (s *whipServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.URL.RawQuery != "" {
		s.strange = append(s.strange, r.RequestURI)
	}
	switch {
	case r.Method == http.MethodPost && r.Header.Get("Content-Type") == "application/sdp" && strings.HasPrefix(string(body), "v=0"):
		s.total++
		at := fmt.Sprintf("%s/%s-%d", r.URL.Path, s.name, s.total)
		s.sessions[at] = r.URL.Path
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", at)
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "v=0\r\no=%s\r\n", s.name)
	case r.Method == http.MethodPatch && s.sessions[r.URL.Path] != "" && r.Header.Get("If-Match") == `"1"`:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete && s.sessions[r.URL.Path] != "":
		delete(s.sessions, r.URL.Path)
	case r.Method == http.MethodGet:
		fmt.Fprint(w, s.name)
	default:
		s.strange = append(s.strange, r.Method+" "+r.RequestURI)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *whipServer) has() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Values(s.sessions))
}

// offer is what a WHIP client begins with; it returns where its session is, and who answered.
func offer(t *testing.T, front, path string) (session, server string) {
	t.Helper()
	res, err := browser().Post(front+path, "application/sdp", strings.NewReader("v=0\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("offered to %s: %s %q, %v", path, res.Status, answer, err)
	}
	_, server, _ = strings.Cut(strings.TrimSpace(string(answer)), "o=")
	at, err := res.Request.URL.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return at.RequestURI(), server
}

// tell is what follows in a session.
func tell(t *testing.T, method, front, session string) int {
	t.Helper()
	r, err := http.NewRequest(method, front+session, strings.NewReader("a=candidate"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-Match", `"1"`)
	res, err := browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// Publishers by WHIP go to servers that take publishers, and their sessions to the server that has them,
// through whichever front.
func TestPublishersByWHIP(t *testing.T) {
	m := store.NewMemory()
	defer m.Close()
	a, b, edge := newWHIP(t, "a"), newWHIP(t, "b"), newWHIP(t, "edge")
	behind := func(name string, list ...config.Server) *running {
		return startWeb(t, m, func(c *config.Config) {
			c.Node.Name = name
			c.Front.Backends.Defaults.Check.Kind = new(config.CheckNone)
			c.Front.Backends.Servers = list
		})
	}
	publish, play := []config.BackendRole{config.RolePublish}, []config.BackendRole{config.RolePlay}
	servers := []config.Server{
		{Name: "a", HTTP: a.addr, BackendSettings: config.BackendSettings{Roles: publish}},
		{Name: "b", HTTP: b.addr, BackendSettings: config.BackendSettings{Roles: publish}},
		{Name: "edge", HTTP: edge.addr, BackendSettings: config.BackendSettings{Roles: play}},
	}
	one, other := behind("front", servers...), behind("front2", servers...)
	startIn(t, m, "o", config.RoleOrigin) // which takes RTMP
	one.sees(t, "o")
	front, second := "http://"+one.listening("http"), "https://"+other.listening("https")

	sessions := map[string]string{}
	for i := range 10 {
		at, server := offer(t, front, fmt.Sprintf("/live/cam%d/whip", i))
		sessions[at] = server
	}
	if len(a.has()) == 0 || len(b.has()) == 0 || len(a.has())+len(b.has()) != 10 || len(edge.has()) != 0 {
		t.Errorf("a has %v, b %v, edge %v", a.has(), b.has(), edge.has())
	}
	for at := range sessions {
		if got := tell(t, http.MethodPatch, second, at); got != http.StatusNoContent {
			t.Errorf("PATCH %s: %d", at, got)
		}
	}
	// Who comes back goes to the server that it had.
	for at, server := range sessions {
		u, _ := url.Parse(at)
		path := u.Path[:strings.LastIndexByte(u.Path, '/')]
		if again, now := offer(t, front, path); now != server {
			t.Errorf("%s was at %s, is at %s again", path, server, now)
		} else if got := tell(t, http.MethodDelete, front, again); got != http.StatusOK {
			t.Errorf("DELETE %s: %d", again, got)
		}
	}
	// A server that is drained gets nothing new, and keeps what it has.
	if _, err := one.api().OrderBackend(t.Context(), "a", "drain"); err != nil {
		t.Fatal(err)
	}
	if r, _, err := one.api().Route(t.Context(), admin.RouteQuery{Name: stream.Name{App: "live", Stream: "x"}, Publish: true}); err != nil || r.Node == "a" {
		t.Fatalf("drained, and placement says %+v, %v", r, err) // from here on it knows
	}
	for i := range 4 {
		at, server := offer(t, front, fmt.Sprintf("/live/new%d/whip", i))
		if server != "b" {
			t.Errorf("%s took a publisher while a was drained", server)
		}
		tell(t, http.MethodDelete, front, at)
	}
	for at := range sessions {
		if got := tell(t, http.MethodDelete, second, at); got != http.StatusOK {
			t.Errorf("DELETE %s: %d", at, got)
		}
	}
	if left := len(a.has()) + len(b.has()); left != 0 {
		t.Errorf("%d sessions are left", left)
	}
	// Nobody may name a server that takes no publishers.
	if got := tell(t, http.MethodDelete, front, "/live/cam/whip/1?weir-server=edge"); got != http.StatusNotFound {
		t.Errorf("a session at the edge: %d", got)
	}
	for _, s := range []*whipServer{a, b, edge} {
		if s.mu.Lock(); len(s.strange) > 0 {
			t.Errorf("%s was asked for %v", s.name, s.strange)
		}
		s.mu.Unlock()
	}
	res, err := browser().Get(front + "/live/cam1/whep")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "edge" {
		t.Errorf("a viewer's request went to %q", body)
	}
}
