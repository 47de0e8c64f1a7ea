package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/ops/event"
	"weir/internal/proctest"
	"weir/internal/stream"
)

// quiet is for what servers say of themselves.
var quiet = log.New(io.Discard, "", 0)

// fleet is some servers and where the streams are; it chooses in turn.
type fleet struct {
	mu      sync.Mutex
	servers []Server
	down    map[string]bool // chosen no more, whoever prefers them
	drains  map[string]bool // chosen for those that prefer them only
	has     map[stream.Name]string
	next    int
	asked   []Request
	evil    map[string]int // failures
	good    map[string]int
	open    map[string]int
	given   int // reservations that are out
	in, out atomic.Int64
}

func newFleet(servers ...Server) *fleet {
	return &fleet{servers: servers, down: map[string]bool{}, drains: map[string]bool{}, has: map[stream.Name]string{},
		evil: map[string]int{}, good: map[string]int{}, open: map[string]int{}}
}

func (f *fleet) Choose(r Request) (Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Exclude = slices.Clone(r.Exclude)
	f.asked = append(f.asked, r)
	can := func(s Server, prefers bool) bool {
		return !f.down[s.Name] && (prefers || !f.drains[s.Name]) && !slices.Contains(r.Exclude, s.Name)
	}
	give := func(s Server) (Server, error) {
		f.given++
		s.Done = func(bool) {
			f.mu.Lock()
			f.given--
			f.mu.Unlock()
		}
		return s, nil
	}
	for _, n := range r.Names {
		if at, ok := f.has[n]; ok {
			for _, s := range f.servers {
				if s.Name == at && can(s, true) {
					return give(s)
				}
			}
			return Server{}, ErrNoServer
		}
	}
	for _, s := range f.servers {
		if s.Name == r.Prefer && can(s, true) {
			return give(s)
		}
	}
	for range f.servers {
		s := f.servers[f.next%len(f.servers)]
		f.next++
		if can(s, false) {
			return give(s)
		}
	}
	return Server{}, ErrNoServer
}

func (f *fleet) Open(name string) Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[name]++
	return Entry{In: &f.in, Out: &f.out, End: func() {
		f.mu.Lock()
		f.open[name]--
		f.mu.Unlock()
	}}
}

func (f *fleet) Failed(name string, _ error) {
	f.mu.Lock()
	f.evil[name]++
	f.mu.Unlock()
}

func (f *fleet) Succeeded(name string) {
	f.mu.Lock()
	f.good[name]++
	f.mu.Unlock()
}

func (f *fleet) Ready(publish bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.servers {
		if !f.down[s.Name] && !f.drains[s.Name] {
			return nil
		}
	}
	return ErrNoServer
}

// set changes the fleet under its lock.
func (f *fleet) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// read asks the fleet under its lock.
func read[T any](f *fleet, ask func() T) T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return ask()
}

// backend is a server that answers with h.
func backend(t *testing.T, name string, h http.HandlerFunc) Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	s.Start()
	t.Cleanup(s.Close)
	return Server{Name: name, Addr: s.Listener.Addr().String()}
}

// says is a backend that says its name.
func says(t *testing.T, name string) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", name, r.URL.Path) })
}

// gone is a server that nobody listens for.
func gone(t *testing.T, name string) Server {
	t.Helper()
	return Server{Name: name, Addr: proctest.Addr(t)}
}

// standing is a Front that is served.
type standing struct {
	*Front
	addr   string
	server *http.Server
	said   *events
}

type events struct {
	mu  sync.Mutex
	all []event.Event
}

func (e *events) add(x event.Event) {
	e.mu.Lock()
	e.all = append(e.all, x)
	e.mu.Unlock()
}

// stand serves a Front until the test ends; change alters its options. A test that wants a limit to bite sets it.
func stand(t *testing.T, f *fleet, change func(*Options)) *standing {
	t.Helper()
	s := &standing{said: new(events)}
	o := Options{Node: "front1", Servers: f, Dial: (&net.Dialer{}).DialContext, Emit: s.said.add, Ready: f.Ready, Plain: true, Body: 1 << 20,
		Connect: time.Minute, Answer: time.Minute, Silence: time.Minute, Stall: time.Minute, Tunnel: time.Minute}
	if change != nil {
		change(&o)
	}
	s.Front = New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.server = NewServer(s.Front, quiet)
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(l) }()
	t.Cleanup(func() {
		s.Front.Close()
		s.server.Close()
		<-ended
	})
	return s
}

func (s *standing) url(path string) string { return "http://" + s.addr + path }

// ask sends one request on a connection of its own.
func (s *standing) ask(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.url(path), body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, strings.TrimSpace(string(b))
}

func (s *standing) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	return s.ask(t, http.MethodGet, path, nil, header...)
}

// until waits for something that tells nobody when it happens.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// await waits for what tells when it happens.
func await[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	end := time.NewTimer(time.Minute)
	defer end.Stop()
	select {
	case <-c:
	case <-end.C:
		t.Fatalf("not within a minute: %s", what)
	}
}

func name(app, s string) stream.Name { return stream.Name{App: app, Stream: s} }
