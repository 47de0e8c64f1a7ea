package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// clients are sessions that tests write.
type clients struct{ kicked []string }

func (c *clients) Sessions(_ context.Context, node string) ([]Session, []string, error) {
	if node == "nosuch" {
		return nil, nil, &NoNodeError{node}
	}
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return []Session{
		{ID: "n2/1", Node: "n2", Conn: 1, Remote: "192.0.2.2:5", Role: "viewer", App: "live", Stream: "a", Since: since},
		{ID: "n1/12", Node: "n1", Conn: 12, Remote: "192.0.2.1:4", Role: "publisher", App: "live", Stream: "a", Since: since, BytesIn: 7, BytesOut: 8, How: "carried", Backend: "n2"},
		{ID: "n1/2", Node: "n1", Conn: 2, Remote: "192.0.2.3:4", Role: "viewer", App: "live", Stream: "b", Since: since, How: "served"},
	}, []string{"n4", "n3"}, nil
}

func (c *clients) Kick(_ context.Context, node string, conn uint64) (string, error) {
	id := SessionID(node, conn)
	c.kicked = append(c.kicked, id)
	switch {
	case node == "nosuch":
		return "", &NoNodeError{node}
	case node == "silent":
		return "", errors.New("it does not answer")
	case conn == 404:
		return "", &NoSessionError{id}
	}
	return id, nil
}

func TestSessionShapes(t *testing.T) {
	all := &clients{}
	h := Handler(Options{Fleet: two, Sessions: all})
	want := `{"sessions":[
		{"id":"n1/2","node":"n1","conn":2,"remote":"192.0.2.3:4","protocol":"","role":"viewer","app":"live","stream":"b","since":"2026-01-02T03:04:05Z","bytes_in":0,"bytes_out":0,"how":"served"},
		{"id":"n1/12","node":"n1","conn":12,"remote":"192.0.2.1:4","protocol":"","role":"publisher","app":"live","stream":"a","since":"2026-01-02T03:04:05Z","bytes_in":7,"bytes_out":8,"how":"carried","backend":"n2"},
		{"id":"n2/1","node":"n2","conn":1,"remote":"192.0.2.2:5","protocol":"","role":"viewer","app":"live","stream":"a","since":"2026-01-02T03:04:05Z","bytes_in":0,"bytes_out":0}],
		"missed":["n3","n4"]}`
	if w := get(h, "/api/v1/sessions"); w.Code != 200 || !sameJSON(t, w.Body.String(), want) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(Handler(Options{Fleet: two}), "/api/v1/sessions"); !sameJSON(t, w.Body.String(), `{"sessions":[]}`) {
		t.Errorf("none: %s", w.Body)
	}
	if w := get(h, "/api/v1/sessions?node=nosuch"); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for path, want := range map[string]int{"n1/12": 202, "7": 202, "n1/404": 404, "nosuch/1": 404, "silent/1": 502, "n1/x": 400, "/1": 400, "n1/": 400} {
		r := httptest.NewRequest(http.MethodDelete, "/api/v1/sessions/x", nil)
		r.URL.Path = "/api/v1/sessions/" + path
		r.Host = "127.0.0.1"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want && !(path == "/1" && w.Code/100 == 3) {
			t.Errorf("DELETE %s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
	}
	slices.Sort(all.kicked)
	if got := strings.Join(all.kicked, " "); got != "/7 n1/12 n1/404 nosuch/1 silent/1" {
		t.Errorf("ended: %s", got)
	}
}
