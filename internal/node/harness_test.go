package node_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"weir/internal/node"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
)

// running is a node in this process, whole: its listeners, its store, its log.
type running struct {
	addr string // RTMP
	log  *logBook
	turn turnedAway
}

// turnedAway counts who was refused, by reason, and keeps which servers failed: the log sums floods up.
type turnedAway struct {
	mu     sync.Mutex
	n      map[event.Reason]int
	failed []event.BackendFailed
}

func (a *turnedAway) count(e event.Event) {
	if f, ok := e.(event.BackendFailed); ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.failed = append(a.failed, f)
	}
	if r, ok := e.(event.Refused); ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.n == nil {
			a.n = make(map[event.Reason]int)
		}
		a.n[r.Reason]++
	}
}

// failures are those of servers since the first from.
func (a *turnedAway) failures(from int) []event.BackendFailed {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.failed[from:])
}

func (a *turnedAway) of(r event.Reason) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n[r]
}

// patience is how long a test waits for what has to happen. It decides nothing: a machine that is shared may let
// nobody run for seconds.
const patience = time.Minute

// quickConfig is a node that leaves nothing behind for long. Its limits are none that a well-behaved client runs into
// because the machine stands still; see hastyConfig.
func quickConfig(name string) config.Config {
	cfg := config.Default()
	cfg.Node.Name, cfg.Node.Advertise = name, "127.0.0.1"
	cfg.RTMP.Listen, cfg.HTTP.Listen, cfg.Admin.Listen = "127.0.0.1:0", "", ""
	cfg.Limits.Handshake, cfg.Limits.Command, cfg.Limits.FirstMedia = patience, patience, patience
	cfg.Limits.PublisherSilence, cfg.Limits.WriteStall = patience, patience
	cfg.Limits.Message = config.MiB
	cfg.Play.Grace, cfg.Publish.Grace = 100*time.Millisecond, 100*time.Millisecond
	cfg.Place.SlowStart = 0 // a server that comes in the middle of a test is to be chosen in it
	return cfg
}

// hastyConfig is quickConfig with one limit short enough for a test to see it bite. One only: another would bite
// who is slow on the way there.
func hastyConfig(name string, limit func(*config.Limits) *time.Duration) config.Config {
	cfg := quickConfig(name)
	*limit(&cfg.Limits) = 2 * time.Second
	return cfg
}

// limitOf is the limit that a session is ended by for a reason.
var limitOf = map[event.Reason]func(*config.Limits) *time.Duration{
	event.HandshakeTimeout:  func(l *config.Limits) *time.Duration { return &l.Handshake },
	event.CommandTimeout:    func(l *config.Limits) *time.Duration { return &l.Command },
	event.FirstMediaTimeout: func(l *config.Limits) *time.Duration { return &l.FirstMedia },
	event.WriteStalled:      func(l *config.Limits) *time.Duration { return &l.WriteStall },
}

// start runs a node until the test ends.
func start(t *testing.T, cfg config.Config) *running {
	t.Helper()
	r, _ := startWith(t, node.World{}, cfg)
	return r
}

// startWith is start in a world of its own; stop ends the node before the test does.
func startWith(t *testing.T, w node.World, cfg config.Config) (r *running, stop func()) {
	t.Helper()
	r = &running{log: newLogBook()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	w.Emit = r.turn.count
	go func() { ended <- w.Run(ctx, cfg, slog.New(r.log)) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("node %s: %v", cfg.Node.Name, err)
		}
	})
	t.Cleanup(stop)
	if _, ready := r.log.wait(patience, func(l line) bool { return l.msg == "ready" }); !ready {
		t.Fatalf("node %s did not start", cfg.Node.Name)
	}
	r.addr = r.listening("rtmp")
	return r, stop
}

// sees waits until the node knows of another: that one is ready before others have heard
// of it.
func (r *running) sees(t *testing.T, name string) {
	t.Helper()
	if _, ok := r.log.wait(patience, func(l line) bool { return l.msg == "node up" && l.attrs["peer"] == name }); !ok {
		t.Fatalf("%s is not seen", name)
	}
}

func (r *running) url(stream string) string { return "rtmp://" + r.addr + "/" + stream }

// line is one log line.
type line struct {
	n     int // how many there were before
	level slog.Level
	msg   string
	attrs map[string]string
}

// logBook keeps what a node says, as an operator would read it. It is bounded:
// a test that makes a hundred thousand lines must not measure its own book.
type logBook struct {
	mu  *sync.Mutex
	own map[string]string // of WithAttrs
	*pages
}

type pages struct {
	lines   []line        // the newest, at most bookLines
	said    int           // lines in all
	changed chan struct{} // closed at the next line
}

// Why not more: a line is half a kilobyte, and the tests look for a megabyte too much.
const bookLines = 2048

func newLogBook() *logBook {
	return &logBook{mu: new(sync.Mutex), pages: &pages{changed: make(chan struct{})}}
}

func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logBook) WithGroup(string) slog.Handler            { return b }

func (b *logBook) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := maps.Clone(b.own)
	if own == nil {
		own = make(map[string]string)
	}
	for _, a := range attrs {
		own[a.Key] = a.Value.String()
	}
	return &logBook{mu: b.mu, own: own, pages: b.pages}
}

func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	l := line{level: r.Level, msg: r.Message, attrs: make(map[string]string, r.NumAttrs())}
	maps.Copy(l.attrs, b.own)
	r.Attrs(func(a slog.Attr) bool {
		l.attrs[a.Key] = a.Value.String()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	l.n = b.said
	b.said++
	if len(b.lines) == bookLines {
		b.lines = append(b.lines[:0], b.lines[bookLines/2:]...)
	}
	b.lines = append(b.lines, l)
	close(b.changed)
	b.changed = make(chan struct{})
	return nil
}

// count is how many of the lines kept match.
func (b *logBook) count(match func(line) bool) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		if match(l) {
			n++
		}
	}
	return n
}

// length is how many lines there were.
func (b *logBook) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said
}

// wait returns the first line kept that matches, waiting for it if need be.
func (b *logBook) wait(most time.Duration, match func(line) bool) (line, bool) {
	end := time.NewTimer(most)
	defer end.Stop()
	for {
		b.mu.Lock()
		for _, l := range b.lines {
			if match(l) {
				b.mu.Unlock()
				return l, true
			}
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-end.C:
			return line{}, false
		}
	}
}

// eventually asks until it is so. For what tells nobody when it changes.
func eventually(most time.Duration, so func() bool) bool {
	end := time.NewTimer(most)
	defer end.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end.C:
			return so()
		}
	}
	return true
}
