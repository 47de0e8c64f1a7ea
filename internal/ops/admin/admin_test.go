package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weir/internal/ops/event"
	"weir/internal/ops/secret"
	"weir/internal/stream"
)

type fleet struct {
	nodes    []Node
	streams  []Stream
	problems []Problem
	ready    bool
	err      error
	away     time.Time // since when the store is
}

func (f fleet) Nodes(context.Context) ([]Node, error)              { return f.nodes, f.err }
func (f fleet) Streams(context.Context) ([]Stream, error)          { return f.streams, f.err }
func (f fleet) Drain(context.Context, string, time.Duration) error { return nil }
func (f fleet) Route(q RouteQuery) Route {
	if q.Source == netip.MustParseAddr("192.0.2.1") && q.Zone == "b" && !q.Publish {
		return Route{Node: "b1", Reason: "had the client a moment ago"}
	}
	return Route{Node: "o1", Reason: "least loaded", Rejected: []NotChosen{{Node: "o2", Reason: "more loaded", Share: 0.5}}}
}
func (f fleet) Undrain(context.Context, string) error { return nil }

func (f fleet) StoreAway() time.Time { return f.away }

func (f fleet) Ready() (bool, []Problem) { return f.ready, f.problems }

var two = fleet{
	ready: true,
	nodes: []Node{
		{Name: "o1", Roles: []string{"origin"}, State: "up", Addresses: Addresses{RTMP: "10.0.0.2:1935"}, Load: Load{Publishers: 1, CPU: 0.25}, Self: true},
		{Name: "e1", State: "draining"},
	},
	streams: []Stream{
		{App: "live", Name: "b", Owner: "o1", Edges: []string{"e2", "e1"}, Viewers: 40},
		{
			App: "region/live", Name: "a/1", Owner: "o1", Epoch: stream.Epoch{Incarnation: 1, Revision: 7}, Bitrate: 2_500_000,
			Publisher: &Publisher{Remote: "192.0.2.1:5"}, Tracks: []Track{{Kind: "video", Codec: "avc1", Width: 1280, Height: 720}},
			Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	},
}

func get(h http.Handler, path string, with ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "127.0.0.1:8081"
	for _, f := range with {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestShapes(t *testing.T) {
	h := Handler(Options{Fleet: two, Version: "1"})
	for path, want := range map[string]string{
		"/api/v1/nodes": `{"nodes":[
			{"name":"e1","roles":[],"state":"draining","addresses":{},"load":{"publishers":0,"viewers":0,"sessions":0,"pulls":0,"egress":0,"ingress":0,"cpu":0},"capacity":{}},
			{"name":"o1","roles":["origin"],"state":"up","addresses":{"rtmp":"10.0.0.2:1935"},"load":{"publishers":1,"viewers":0,"sessions":0,"pulls":0,"egress":0,"ingress":0,"cpu":0.25},"capacity":{},"self":true}]}`,
		"/api/v1/nodes/e1":       `{"name":"e1","roles":[],"state":"draining","addresses":{},"load":{"publishers":0,"viewers":0,"sessions":0,"pulls":0,"egress":0,"ingress":0,"cpu":0},"capacity":{}}`,
		"/api/v1/streams/live/b": `{"app":"live","name":"b","owner":"o1","epoch":"0.0","edges":["e1","e2"],"viewers":40,"publisher":null,"tracks":[],"bitrate":0,"since":"0001-01-01T00:00:00Z"}`,
		"/api/v1/streams/region%2Flive/a/1": `{"app":"region/live","name":"a/1","owner":"o1","epoch":"1.7","edges":[],"viewers":0,"publisher":{"remote":"192.0.2.1:5"},
			"tracks":[{"kind":"video","codec":"avc1","id":0,"width":1280,"height":720}],"bitrate":2500000,"since":"2026-01-02T03:04:05Z"}`,
		"/healthz": `{"ok":true}`,
		"/readyz":  `{"ready":true,"problems":[]}`,
	} {
		w := get(h, path)
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || !sameJSON(t, w.Body.String(), want) {
			t.Errorf("%s: %d\ngot  %s\nwant %s", path, w.Code, w.Body, want)
		}
	}
	var list struct{ Streams []Stream }
	if err := json.Unmarshal(get(h, "/api/v1/streams").Body.Bytes(), &list); err != nil || len(list.Streams) != 2 || list.Streams[0].Name != "b" {
		t.Errorf("streams: %+v, %v", list, err)
	}
	if w := get(Handler(Options{Fleet: fleet{}}), "/api/v1/streams"); !sameJSON(t, w.Body.String(), `{"streams":[]}`) {
		t.Errorf("no streams: %s", w.Body)
	}
}

func TestNotThere(t *testing.T) {
	h := Handler(Options{Fleet: two})
	for _, path := range []string{"/api/v1/nodes/x", "/api/v1/streams/live/x", "/api/v1/streams/live/", "/", "/debug/pprof/", "/metrics", "/api/v1/" + strings.Repeat("x", 10_000)} {
		w := get(h, path)
		var p struct{ Status int }
		if w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" || json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Status != 404 || w.Body.Len() > 300 {
			t.Errorf("%.40s: %d %.200s", path, w.Code, w.Body)
		}
	}
	w := get(Handler(Options{Fleet: fleet{err: errors.New("the store does not answer")}}), "/api/v1/nodes")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "store does not answer") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest("POST", "/api/v1/nodes", nil)
	r.Host = "localhost"
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != 404 && rec.Code != 405 {
		t.Errorf("POST: %d", rec.Code)
	}
}

// A method that a path does not take is told from a path that is not there, and to who may ask.
func TestWrongMethodsAreToldTheRightOnes(t *testing.T) {
	open := Handler(Options{Fleet: two, Metrics: prometheus.NewRegistry()})
	guarded := Handler(Options{Fleet: two, Token: secret.New("t0ken")})
	for _, tc := range []struct{ method, path, allow string }{
		{"POST", "/healthz", "GET, HEAD"},
		{"PUT", "/metrics", "GET, HEAD"},
		{"POST", "/api/v1/nodes", "GET, HEAD"},
		{"OPTIONS", "/api/v1/nodes/o1", "GET, HEAD"},
		{"DELETE", "/api/v1/nodes/o1", "GET, HEAD"},
		{"GET", "/api/v1/nodes/o1/drain", "POST"},
		{"HEAD", "/api/v1/nodes/o1/drain", "POST"},
		{"DELETE", "/api/v1/sessions", "GET, HEAD"},
		{"POST", "/api/v1/sessions", "GET, HEAD"},
		{"GET", "/api/v1/sessions/n1/12", "DELETE"},
		{"GET", "/api/v1/backends/b/weight", "POST, PUT"},
		{"DELETE", "/api/v1/streams/live/b", "GET, HEAD"},
		{"DELETE", "/api/v1/route", "GET, HEAD"},
		{"POST", "/api/v1", ""},
		{"DELETE", "/api/v2/nodes", ""},
	} {
		want := http.StatusMethodNotAllowed
		if tc.allow == "" {
			want = http.StatusNotFound
		}
		method := func(r *http.Request) { r.Method = tc.method }
		if w := get(open, tc.path, method); w.Code != want || w.Header().Get("Allow") != tc.allow || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d, Allow %q, want %d and %q\n%s", tc.method, tc.path, w.Code, w.Header().Get("Allow"), want, tc.allow, w.Body)
		}
		if w := get(guarded, tc.path, method); w.Code != http.StatusUnauthorized || w.Header().Get("Allow") != "" {
			t.Errorf("%s %s without the token: %d, Allow %q", tc.method, tc.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestReadyTellsWhyNot(t *testing.T) {
	problems := []Problem{{"store", "does not answer"}}
	w := get(Handler(Options{Fleet: fleet{problems: problems}}), "/readyz")
	if w.Code != 503 || !sameJSON(t, w.Body.String(), `{"ready":false,"problems":[{"part":"store","reason":"does not answer"}]}`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = get(Handler(Options{Fleet: fleet{ready: true, problems: problems}}), "/readyz")
	if w.Code != 200 || !sameJSON(t, w.Body.String(), `{"ready":true,"problems":[{"part":"store","reason":"does not answer"}]}`) {
		t.Errorf("in spite of a problem: %d %s", w.Code, w.Body)
	}
}

func TestP7TokenGuardsAllButTheProbes(t *testing.T) {
	reg := prometheus.NewRegistry()
	if _, err := event.NewMetrics(reg, "n"); err != nil {
		t.Fatal(err)
	}
	h := Handler(Options{Fleet: two, Metrics: reg, Token: secret.New("t0ken")})
	auth := func(v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", v) }
	}
	for _, path := range []string{"/api/v1/nodes", "/api/v1/nodes/o1", "/api/v1/streams", "/api/v1/streams/live/b", "/metrics", "/nosuch"} {
		for _, v := range []string{"", "Bearer", "Bearer t0ke", "Bearer t0kenx", "Basic t0ken", "t0ken"} {
			if w := get(h, path, auth(v)); w.Code != 401 || strings.Contains(w.Body.String(), "t0ken") {
				t.Errorf("%s with %q: %d", path, v, w.Code)
			}
		}
		if w := get(h, path, auth("bearer t0ken")); w.Code == 401 {
			t.Errorf("%s: the right token was refused", path)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := get(h, path, func(r *http.Request) { r.Host = "10.0.0.1:8081" }); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(h, "/metrics", auth("Bearer t0ken")); !strings.Contains(w.Body.String(), "weir_sessions_opened_total") {
		t.Errorf("metrics: %d %.200s", w.Code, w.Body)
	}
}

func TestWithoutATokenOnlyTheLoopback(t *testing.T) {
	h := Handler(Options{Fleet: two})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8081": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:8081": 200, "[::1]": 200,
		"evil.example.com": 403, "evil.example.com:8081": 403, "localhost.evil.com": 403, "10.0.0.1:8081": 403, "": 403, "127.0.0.1.evil.com": 403,
	} {
		if w := get(h, "/api/v1/nodes", func(r *http.Request) { r.Host = host }); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
	if w := get(h, "/api/v1/nodes", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }); w.Code != 403 {
		t.Errorf("foreign origin: %d", w.Code)
	}
	if w := get(h, "/api/v1/nodes", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") }); w.Code != 200 {
		t.Errorf("local origin: %d", w.Code)
	}
	outside := func(r *http.Request) {
		*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8081})))
	}
	if w := get(h, "/api/v1/nodes", outside); w.Code != 403 {
		t.Errorf("outside address, local Host: %d", w.Code)
	}
}

func TestHeaders(t *testing.T) {
	w := get(Handler(Options{Fleet: two, Version: "0.1"}), "/api/v1/nodes")
	for k, want := range map[string]string{"Server": "weir/0.1", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := w.Header().Get(k); got != want {
			t.Errorf("%s: %q", k, got)
		}
	}
}

// What comes from memory says since when, and nothing says so else.
func TestAnswersOfANodeWithoutTheStoreSayHowOldTheyAre(t *testing.T) {
	without := two
	without.away = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, path := range []string{"/api/v1/nodes", "/api/v1/nodes/o1", "/api/v1/streams", "/api/v1/streams/live/b"} {
		var with, alone map[string]any
		for f, into := range map[*fleet]*map[string]any{&without: &with, &two: &alone} {
			if err := json.Unmarshal(get(Handler(Options{Fleet: *f}), path).Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
		if _, told := alone["store_away_since"]; told || with["store_away_since"] != "2026-01-02T03:04:05Z" {
			t.Errorf("%s: %v, and with the store %v", path, with["store_away_since"], alone["store_away_since"])
		}
		delete(with, "store_away_since")
		if !reflect.DeepEqual(with, alone) {
			t.Errorf("%s: otherwise %v, with the store %v", path, with, alone)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	norm := func(s string) string {
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatalf("%v: %s", err, s)
		}
		out, _ := json.Marshal(v)
		return string(out)
	}
	return norm(a) == norm(b)
}

func TestRouteExplainsItself(t *testing.T) {
	h := Handler(Options{Fleet: fleet{}})
	get := func(query string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/route"+query, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := get("?app=live&name=a&action=publish")
	var got Route
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got.App != "live" || got.Name != "a" || got.Action != "publish" || got.Node != "o1" || len(got.Rejected) != 1 || got.Rejected[0].Node != "o2" {
		t.Errorf("got %+v", got)
	}
	w = get("?app=live&name=a&action=play&source=192.0.2.1&zone=b")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Node != "b1" || got.Source != "192.0.2.1" || got.Zone != "b" {
		t.Errorf("of one address, in a zone: %+v %v", got, err)
	}
	for _, bad := range []string{"", "?app=live&name=a", "?app=live&name=a&action=play&source=192.0.2.1:1935", "?app=live&name=..&action=play", "?app=live&name=a&action=watch"} {
		if w := get(bad); w.Code != http.StatusBadRequest {
			t.Errorf("%q is answered with %d", bad, w.Code)
		}
	}
}
