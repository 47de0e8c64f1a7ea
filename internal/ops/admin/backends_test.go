package admin

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/ops/secret"
)

// strangers are backends that tests write.
type strangers struct {
	list   []Backend
	orders []string
}

func (s *strangers) Backends(context.Context) ([]Backend, error) { return s.list, nil }
func (s *strangers) Sources() []Source {
	return []Source{{Name: "static", Servers: 1, Updated: time.Unix(0, 0).UTC()}, {Name: "dns:media.example.com", Servers: 4, Failures: 3, Failing: "SERVFAIL"}}
}

func (s *strangers) Left(context.Context, string) Left {
	return Left{Publishers: 1, Viewers: 2, Fronts: []string{"front2", "front1"}}
}
func (s *strangers) Has(string) []string { return []string{"live/a"} }
func (s *strangers) Order(_ context.Context, name, order string) ([]string, error) {
	s.orders = append(s.orders, order+" "+name)
	if name == "nosuch" {
		return nil, &NoBackendError{name}
	}
	return []string{"front2"}, nil
}
func (s *strangers) SetWeight(_ context.Context, name string, w float64) ([]string, error) {
	if w < 0 {
		return nil, errors.New("a weight is above 0")
	}
	s.orders = append(s.orders, "weight "+name)
	return nil, nil
}

func edges() *strangers {
	return &strangers{list: []Backend{
		{Name: "edge2", Source: "dns:media.example.com", Kind: "nginx-rtmp", Roles: []string{"play"}, State: "down", Operator: "ready", Weight: 2.5,
			Addresses: Addresses{RTMP: "10.0.0.2:1935"},
			Health: Health{State: "down", Reason: `10.0.0.2:1935: accepts connections, but "nothing", more`, Status: "L7TOUT", Took: 1.002, Rise: 2, Fall: 3,
				Since: time.Now().Add(-90 * time.Second)}, Load: BackendLoad{From: "nginx", Problem: "status 500"}},
		{Name: "edge1", Source: "static", State: "up", Operator: "ready", Weight: 1, Health: Health{State: "up", Status: "L7OK"},
			Capacity: Capacity{Sessions: 500}, Streams: 1, Load: BackendLoad{From: "none"},
			Sessions: BackendSessions{Publishers: 2, Viewers: 3, Most: 9, Total: 40, Failures: 1, Moved: 4, Received: 1000, Sent: 2000}},
		{Name: "edge3", State: "maint", Operator: "maint", Weight: 1, Health: Health{State: "unknown"}},
		{Name: "edge4", State: "drain", Operator: "drain", Weight: 1, Health: Health{State: "up"}},
		{Name: "edge5", State: "up", Operator: "ready", Weight: 1, Health: Health{State: "unknown"}},
	}}
}

func TestBackendShapes(t *testing.T) {
	h := Handler(Options{Fleet: two, Backends: edges()})
	w := get(h, "/api/v1/backends/edge1")
	want := `{"name":"edge1","source":"static","kind":"","roles":[],"addresses":{},"state":"up","operator":"ready","health":{"state":"up","status":"L7OK","took":0},
		"weight":1,"capacity":{"sessions":500},"load":{"from":"none","publishers":0,"sessions":0,"egress":0,"ingress":0,"cpu":0},"streams":1,
		"sessions":{"publishers":2,"viewers":3,"most":9,"total":40,"failures":1,"moved":4,"received":1000,"sent":2000},"has":["live/a"],
		"left":{"empty":false,"publishers":1,"viewers":2,"opening":0,"fronts":["front1","front2"],"missed":[]}}`
	if w.Code != 200 || !sameJSON(t, w.Body.String(), want) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var list struct{ Backends []Backend }
	if err := json.Unmarshal(get(h, "/api/v1/backends").Body.Bytes(), &list); err != nil || len(list.Backends) != 5 || list.Backends[0].Name != "edge1" || list.Backends[0].Has != nil {
		t.Errorf("%+v %v", list, err)
	}
	var said map[string]any
	if err := json.Unmarshal(get(h, "/api/v1/backends").Body.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	sources, _ := json.Marshal(said["sources"])
	if want := `[{"name":"static","servers":1,"updated":"1970-01-01T00:00:00Z","failures":0},{"name":"dns:media.example.com","servers":4,"failures":3,"failing":"SERVFAIL"}]`; !sameJSON(t, string(sources), want) {
		t.Errorf("sources %s", sources)
	}
	if w := get(h, "/api/v1/backends/nosuch"); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(Handler(Options{Fleet: two}), "/api/v1/backends"); !sameJSON(t, w.Body.String(), `{"backends":[]}`) {
		t.Errorf("none: %s", w.Body)
	}
}

func TestBackendOrders(t *testing.T) {
	s := edges()
	srv := httptest.NewServer(Handler(Options{Fleet: two, Backends: s, Token: secret.New("t0ken")}))
	defer srv.Close()
	c := Client{URL: srv.URL, Token: secret.New("t0ken")}
	for _, order := range []string{"drain", "maint", "ready"} {
		if done, err := c.OrderBackend(t.Context(), "edge1", order); err != nil || done.Backend != "edge1" || !slices.Equal(done.Missed, []string{"front2"}) {
			t.Errorf("%s: %+v %v", order, done, err)
		}
	}
	if _, err := c.WeighBackend(t.Context(), "a/b c", 2.5); err != nil {
		t.Error(err)
	}
	if b, err := c.Backend(t.Context(), "edge1"); err != nil || b.Name != "edge1" || len(b.Has) != 1 || b.Left == nil || b.Left.Publishers != 1 ||
		!slices.Equal(b.Left.Fronts, []string{"front1", "front2"}) || b.Left.Missed == nil {
		t.Errorf("%+v, %v", b, err)
	}
	if got := strings.Join(s.orders, ", "); got != "drain edge1, maint edge1, ready edge1, weight a/b c" {
		t.Errorf("orders: %s", got)
	}
	for _, tc := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := c.OrderBackend(t.Context(), "nosuch", "drain"); return err }, "no backend nosuch"},
		{func() error { _, err := c.OrderBackend(t.Context(), "edge1", "explode"); return err }, "ready, drain or maint"},
		{func() error { _, err := c.WeighBackend(t.Context(), "edge1", -1); return err }, "above 0"},
	} {
		if err := tc.do(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	for body, code := range map[string]int{`{"weight": 2}`: 200, `{"weight": "x"}`: 400, ``: 400, `[]`: 400, strings.Repeat(" ", 1000) + `{"weight": 2}`: 400} {
		r := httptest.NewRequest(http.MethodPut, "http://127.0.0.1/api/v1/backends/edge1/weight", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer t0ken")
		w := httptest.NewRecorder()
		srv.Config.Handler.ServeHTTP(w, r)
		if w.Code != code {
			t.Errorf("%.20q: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestHAProxyCSVHasItsColumnsAndLines(t *testing.T) {
	h := Handler(Options{Fleet: two, Backends: edges(), Frontends: func() []Frontend {
		return []Frontend{{Name: "rtmp", Sessions: 7, Total: 100, In: 5, Out: 6}}
	}})
	w := get(h, "/haproxy;csv")
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,") {
		t.Fatalf("%d %.200s", w.Code, w.Body)
	}
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err) // also: every line has as many fields as the header
	}
	// The columns whose numbers are promised (management.txt 9.1).
	const pxname, svname, scur, smax, slim, stot, bin, bout, status, weight, lastchg, typ, checkStatus, checkDuration = 0, 1, 4, 5, 6, 7, 8, 9, 17, 18, 23, 32, 36, 38
	got := map[string][]string{}
	for _, r := range rows[1:] {
		got[r[pxname]+"/"+r[svname]] = r
	}
	for _, tc := range []struct {
		line string
		col  int
		want string
	}{
		{"rtmp/FRONTEND", typ, "0"}, {"rtmp/FRONTEND", status, "OPEN"}, {"rtmp/FRONTEND", scur, "7"}, {"rtmp/FRONTEND", stot, "100"}, {"rtmp/FRONTEND", bin, "5"},
		{"nodes/o1", status, "UP"}, {"nodes/o1", typ, "2"}, {"nodes/e1", status, "DRAIN"}, {"nodes/BACKEND", status, "UP"}, {"nodes/BACKEND", typ, "1"},
		{"backends/edge1", status, "UP"}, {"backends/edge1", scur, "5"}, {"backends/edge1", smax, "9"}, {"backends/edge1", slim, "500"}, {"backends/edge1", stot, "40"},
		{"backends/edge1", bin, "1000"}, {"backends/edge1", bout, "2000"},
		{"backends/edge2", status, "DOWN"}, {"backends/edge2", weight, "3"}, {"backends/edge2", lastchg, "90"}, {"backends/edge2", checkStatus, "L7TOUT"}, {"backends/edge2", checkDuration, "1002"},
		{"backends/edge3", status, "MAINT"}, {"backends/edge4", status, "DRAIN"}, {"backends/edge5", status, "no check"},
		{"backends/BACKEND", scur, "5"}, {"backends/BACKEND", stot, "40"}, {"backends/BACKEND", status, "UP"}, {"backends/BACKEND", weight, "2"},
	} {
		if r := got[tc.line]; r == nil || r[tc.col] != tc.want {
			t.Errorf("%s, column %d (%s): %q, want %q", tc.line, tc.col, haproxyColumns[tc.col], r, tc.want)
		}
	}
	if len(rows) != 1+1+3+6 {
		t.Errorf("%d lines", len(rows))
	}
	if i := slices.Index(haproxyColumns[:], "last_chk"); got["backends/edge2"][i] != `10.0.0.2:1935: accepts connections, but "nothing", more` {
		t.Errorf("%q", got["backends/edge2"][i])
	}
}
