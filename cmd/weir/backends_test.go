package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestBackendsCommand(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.RequestURI())
		mu.Unlock()
		switch {
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `{"backends":[{"name":"edge1","state":"down","addresses":{"rtmp":"10.0.0.1:1935"},"weight":2.5,"health":{"state":"down","reason":"connection refused"},"load":{"from":"nginx","publishers":3,"sessions":9,"egress":15700000}},
				{"name":"edge2","state":"up","health":{"state":"up","reason":"answers within 1ms"},"load":{"problem":"status 500"}}],
				"sources":[{"name":"static","servers":1},{"name":"dns:media.example.com","servers":1,"updated":"2026-01-02T03:04:05Z","failures":7,"failing":"SERVFAIL"}]}`)
		case strings.Contains(r.URL.Path, "nosuch"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"detail":"no backend nosuch"}`)
		case strings.Contains(r.URL.Path, "half"):
			fmt.Fprint(w, `{"backend":"half","missed":["front2"]}`)
		default:
			fmt.Fprint(w, `{"backend":"edge1","missed":[]}`)
		}
	}))
	defer srv.Close()
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"backends"}, 0, "edge1    down   10.0.0.1:1935  2.5     3           9         0        0 b/s  15.7 Mb/s  connection refused"},
		{[]string{"backends"}, 0, "load: status 500"},
		{[]string{"backends"}, 0, "static                 1        never"},
		{[]string{"backends"}, 0, "7         SERVFAIL"},
		{[]string{"backends", "--json"}, 0, `"name":"edge1"`},
		{[]string{"backends", "drain", "edge1"}, 0, "edge1 gets nothing new"},
		{[]string{"backends", "maint", "edge1"}, 0, "edge1 is out"},
		{[]string{"backends", "ready", "edge1", "--json"}, 0, `"missed": []`},
		{[]string{"backends", "weight", "edge1", "0.5"}, 0, "edge1 weighs 0.5"},
		{[]string{"backends", "weight", "edge1", "0"}, 0, "edge1 weighs what is configured"},
		{[]string{"backends", "drain", "half"}, 1, "these fronts did not answer, and go on as before: front2"},
		{[]string{"backends", "drain", "nosuch"}, 1, "no backend nosuch"},
		{[]string{"backends", "drain"}, 2, "name one backend"},
		{[]string{"backends", "weight", "edge1", "much"}, 2, `"much" is no weight`},
		{[]string{"backends", "weight", "edge1", "-1"}, 2, `"-1" is no weight: write a number`},
		{[]string{"backends", "weight", "edge1", "-.5"}, 2, `"-.5" is no weight`},
		{[]string{"backends", "weight", "edge1", "-x"}, 2, "unknown shorthand flag"},
		{[]string{"backends", "weight", "edge1"}, 2, "name one backend and its weight"},
		{[]string{"backends", "explode"}, 2, `unknown command "explode"`},
	} {
		args := tc.args
		if tc.code != 2 {
			args = append(slices.Clone(args), "--admin", srv.URL)
		}
		code, out, errOut := weir(t, args...)
		if code != tc.code || !strings.Contains(out+errOut, tc.want) {
			t.Errorf("weir %s: exit %d, want %d with %q\n%s%s", strings.Join(args, " "), code, tc.code, tc.want, out, errOut)
		}
		if slices.Contains(args, "--json") && !json.Valid([]byte(out)) {
			t.Errorf("no JSON: %s", out)
		}
	}
	want := []string{"POST /api/v1/backends/edge1/drain", "POST /api/v1/backends/edge1/maint", "POST /api/v1/backends/edge1/ready",
		"PUT /api/v1/backends/edge1/weight?weight=0.5", "PUT /api/v1/backends/edge1/weight?weight=0"}
	for _, w := range want {
		if !slices.Contains(asked, w) {
			t.Errorf("nobody asked %s; asked: %v", w, asked)
		}
	}
}

// A drain that waits says what is left, and by whom, and ends when nothing is.
func TestADrainOfABackendWaitsUntilItIsEmpty(t *testing.T) {
	left := []string{
		`{"publishers":3,"viewers":5,"fronts":["front1","front2"]}`,
		`{"publishers":3,"viewers":5,"fronts":["front1","front2"]}`,
		`{"publishers":1,"viewers":0,"opening":1,"fronts":["front2"],"missed":["front3"]}`,
		`{"empty":true,"fronts":[],"missed":[]}`,
	}
	var mu sync.Mutex
	next, operator := 0, "drain"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			next = 0
			fmt.Fprint(w, `{"backend":"edge1","missed":[]}`)
			return
		}
		fmt.Fprintf(w, `{"name":"edge1","operator":%q,"left":%s}`, operator, left[next])
		next = min(next+1, len(left)-1)
	}))
	defer srv.Close()
	code, out, errOut := weir(t, "backends", "drain", "edge1", "--wait", "--admin", srv.URL)
	if want := "edge1 gets nothing new\nedge1: 3 publishers, 5 viewers of front1, front2\n" +
		"edge1: 1 publishers, 0 viewers, 1 on the way of front2; no answer from front3\nedge1 is empty\n"; code != 0 || out != want {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	// What passes no front is known by the server's own report.
	mu.Lock()
	before := left
	left = []string{
		`{"empty":true},"load":{"from":"srs","publishers":2}`,
		`{"empty":true},"load":{"from":"srs","publishers":0}`,
	}
	mu.Unlock()
	code, out, errOut = weir(t, "backends", "drain", "edge1", "--wait", "--admin", srv.URL)
	if want := "edge1 gets nothing new\nedge1: 0 publishers, 0 viewers; it reports 2 publishers\nedge1 is empty, and reports no publishers\n"; code != 0 || out != want {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	mu.Lock()
	left = before[:1]
	mu.Unlock()
	for _, order := range []string{"drain", "maint"} {
		if code, out, errOut := weir(t, "backends", order, "edge1", "--timeout", "50ms", "--admin", srv.URL); code != 1 || !strings.Contains(errOut, "edge1 is not empty yet; the drain goes on") {
			t.Errorf("%s: exit %d\n%s%s", order, code, out, errOut)
		}
	}
	mu.Lock()
	operator = "ready"
	mu.Unlock()
	if code, _, errOut := weir(t, "backends", "drain", "edge1", "--wait", "--admin", srv.URL); code != 1 || !strings.Contains(errOut, "made ready meanwhile") {
		t.Errorf("taken back: exit %d, %s", code, errOut)
	}
}
