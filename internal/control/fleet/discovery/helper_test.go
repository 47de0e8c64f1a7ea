package discovery

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/internal/control/fleet"
	"weir/internal/ops/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heard is what was said.
type heard struct {
	mu     sync.Mutex
	events []event.Event
}

func (h *heard) sink(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// failures are the errors that were said, in order.
func (h *heard) failures() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if f, ok := e.(event.DiscoveryFailed); ok {
			out = append(out, f.Err.Error())
		}
	}
	return out
}

func (h *heard) has(match func(event.Event) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.events, match)
}

func again(e event.Event) bool { d, ok := e.(event.Discovered); return ok && d.Again }

// world is a registry, and what is said of it.
func world() (Options, *heard) {
	h := &heard{}
	return Options{Backends: fleet.NewBackends(fleet.BackendOptions{}), Emit: h.sink}, h
}

// plainly is a found server as it is.
func plainly(f Found) fleet.Backend {
	return fleet.Backend{Name: f.Name, RTMP: f.RTMP, HTTP: f.HTTP, Weight: f.Weight, Publishes: true, Serves: true}
}

// run runs a source until the test ends.
func run(t *testing.T, f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// names of the backends, sorted.
func names(b *fleet.Backends) string {
	var out []string
	for _, s := range b.List() {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

// until waits for a condition that others bring about.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	end := time.NewTimer(time.Minute)
	defer end.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// known waits until the backends are those.
func known(t *testing.T, b *fleet.Backends, want string) {
	t.Helper()
	got := ""
	defer func() {
		if t.Failed() {
			t.Logf("the backends are %q", got)
		}
	}()
	until(t, "the backends are "+want, func() bool { got = names(b); return got == want })
}

// list makes backends of lines "NAME ADDR".
func list(data []byte) ([]fleet.Backend, error) {
	var out []fleet.Backend
	for line := range strings.Lines(string(data)) {
		name, addr, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			return nil, errBadLine
		}
		out = append(out, fleet.Backend{Name: name, RTMP: addr})
	}
	return out, nil
}

var errBadLine = strError("a line that is no server")

type strError string

func (e strError) Error() string { return string(e) }
