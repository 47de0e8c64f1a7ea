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

func TestSessionCommands(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.RequestURI())
		mu.Unlock()
		switch {
		case r.FormValue("node") == "half":
			fmt.Fprint(w, `{"sessions":[],"missed":["n3"]}`)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `{"sessions":[{"id":"n1/12","node":"n1","conn":12,"remote":"192.0.2.1:4","protocol":"rtmp","role":"publisher","app":"live","stream":"cam","since":"2026-01-02T03:04:05Z","bytes_in":1500000,"bytes_out":8,"how":"carried","backend":"n2"}]}`)
		case strings.HasSuffix(r.URL.Path, "/404"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"detail":"no session n1/404"}`)
		default:
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"session":"n1/12"}`)
		}
	}))
	defer srv.Close()
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"sessions"}, 0, "n1/12    rtmp      publisher  live/cam  192.0.2.1:4  carried  n2"},
		{[]string{"sessions"}, 0, "1.5 MB  8 B"},
		{[]string{"sessions", "--json", "--node", "n1"}, 0, `"id":"n1/12"`},
		{[]string{"sessions", "--node", "half"}, 1, "these nodes did not answer: n3"},
		{[]string{"kick", "n1/12"}, 0, "n1/12 is ended"},
		{[]string{"kick", "12"}, 2, "12 is a session of which node? Write NODE/12"},
		{[]string{"kick", "n1/12", "--json"}, 0, `{"session":"n1/12"}`},
		{[]string{"kick", "n1/404"}, 1, "no session n1/404"},
		{[]string{"kick"}, 2, "name one session"},
		{[]string{"kick", "n1/cam"}, 2, `"n1/cam" is no session`},
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
	if slices.Contains(asked, "DELETE /api/v1/sessions/12") {
		t.Error("a session of no node was ended")
	}
	for _, w := range []string{"GET /api/v1/sessions", "GET /api/v1/sessions?node=n1", "DELETE /api/v1/sessions/n1/12"} {
		if !slices.Contains(asked, w) {
			t.Errorf("nobody asked %s; asked: %v", w, asked)
		}
	}
}
