package discovery

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/ops/secret"
)

// lister is a server that answers with whatever a test says.
type lister struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.HandlerFunc
	seen    []*http.Request
}

func newLister(t *testing.T, h http.HandlerFunc) *lister {
	l := &lister{handler: h}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.seen = append(l.seen, r)
		h := l.handler
		l.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *lister) answers(h http.HandlerFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handler = h
}

// conditional counts the questions that were asked for a change only.
func (l *lister) conditional() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.seen {
		if r.Header.Get("If-None-Match") != "" {
			n++
		}
	}
	return n
}

func says(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}

func TestAURLIsPolled(t *testing.T) {
	o, h := world()
	l := newLister(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "a h:1\n")
	})
	s := NewPoll(o, PollOptions{URL: l.URL + "/list?key=s3cret", Interval: 10 * time.Millisecond, Token: secret.New("s3cret"), Parse: list})
	run(t, s.Run)
	known(t, o.Backends, "a")
	until(t, "it asks for changes only", func() bool { return l.conditional() > 3 })
	if names(o.Backends) != "a" {
		t.Errorf("unchanged, the backends are %s", names(o.Backends))
	}
	l.answers(says("b h:2\n"))
	known(t, o.Backends, "b")
	if f := h.failures(); len(f) > 0 {
		t.Errorf("it failed: %q", f)
	}
	if strings.Contains(s.Name(), "s3cret") {
		t.Errorf("the source is %s", s.Name())
	}
}

func TestP7APolledServerThatLiesChangesNothing(t *testing.T) {
	elsewhere := newLister(t, says("evil h:6\n"))
	for _, tc := range []struct {
		name, want string
		lie        http.HandlerFunc
	}{
		{"redirect", "a list is not looked for elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }},
		{"error with a list", "it answers 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); fmt.Fprint(w, "evil h:6\n") }},
		{"no content", "it answers 204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		{"unchanged, unasked", "it answers 304", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
		{"no list", "a line that is no server", says("<html>")},
		{"endless", "longer than", func(w http.ResponseWriter, _ *http.Request) {
			for line := []byte(strings.Repeat("x h:1\n", 10_000)); ; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}},
		{"cut off", "broke off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "evil h:6\n")
		}},
		{"closed", "EOF", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, h := world()
			l := newLister(t, says("a h:1\n"))
			s := NewPoll(o, PollOptions{URL: l.URL + "/list?key=s3cret", Interval: 10 * time.Millisecond, Token: secret.New("t0ken"), Parse: list})
			run(t, s.Run)
			known(t, o.Backends, "a")
			l.answers(tc.lie)
			until(t, "it says so", func() bool { return len(h.failures()) > 0 })
			f := h.failures()
			if !strings.Contains(f[0], tc.want) || strings.Contains(f[0], "s3cret") || names(o.Backends) != "a" {
				t.Errorf("it says %q, the backends are %s", f, names(o.Backends))
			}
			n := s.Stats().Failures
			until(t, "it fails again and again", func() bool { return s.Stats().Failures > n+3 })
			if f := h.failures(); len(f) != 1 {
				t.Errorf("it says so %d times", len(f))
			}
		})
	}
	elsewhere.mu.Lock()
	defer elsewhere.mu.Unlock()
	if len(elsewhere.seen) > 0 {
		t.Error("it was led elsewhere")
	}
}
