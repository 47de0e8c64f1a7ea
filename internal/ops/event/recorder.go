package event

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// Recorder keeps events for tests. The zero value is ready; use Recorder.Sink
// as the Sink.
type Recorder struct {
	mu     sync.Mutex
	events []Event
	wake   chan struct{} // closed and replaced by each event
}

// Sink is a [Sink].
func (r *Recorder) Sink(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}

// Events returns a copy of what was recorded so far, in order.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// String returns the events as log lines, for failure messages.
func (r *Recorder) String() string {
	var b strings.Builder
	for _, e := range r.Events() {
		b.WriteString(Line(e))
		b.WriteByte('\n')
	}
	return b.String()
}

// Of returns the recorded events of one type, in order.
func Of[E Event](r *Recorder) []E {
	var out []E
	for _, e := range r.Events() {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// WaitFor returns the first event of type E for which match is true (nil: any),
// recorded already or later. It returns the context's error, with what was
// recorded meanwhile, when ctx ends first.
func WaitFor[E Event](ctx context.Context, r *Recorder, match func(E) bool) (E, error) {
	for next := 0; ; {
		r.mu.Lock()
		seen := r.events[next:]
		next = len(r.events)
		if r.wake == nil {
			r.wake = make(chan struct{})
		}
		wake := r.wake
		r.mu.Unlock()
		for _, e := range seen {
			if e, ok := e.(E); ok && (match == nil || match(e)) {
				return e, nil
			}
		}
		select {
		case <-wake:
		case <-ctx.Done():
			var zero E
			return zero, fmt.Errorf("no such %T: %w; recorded:\n%s", zero, ctx.Err(), r)
		}
	}
}

// Line returns e as one line of text, as the log has it.
func Line(e Event) string {
	level, msg, attrs := e.line()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", level, msg)
	for _, a := range attrs {
		fmt.Fprintf(&b, " %s", slog.Attr(a))
	}
	return b.String()
}
