package event

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// floodWindow is how often a flood is summed up. Why not shorter: a flood of some
	// minutes is to fit on a screen. Why not longer: an operator looks at it now.
	floodWindow = 10 * time.Second
	// refusedFirst is how many refusals for one reason are told line by line in a window,
	// and closedFirst how many sessions that never came to media. Why not more: that
	// many connections a second are one client's work, and a line costs more than
	// refusing does. Why not fewer: five clients with a wrong key are five lines. Ends are
	// lines of sessions that an operator may look for, so there are more of them.
	refusedFirst = 10
	closedFirst  = 1000
)

// flood keeps strangers from filling the log: who is turned away costs a line only as
// one of the first for that reason. The others are counted, and told in one line for
// each reason and window:
//
//	refused reason=address-limit count=4711 remote=192.0.2.9:4711 dur=10s
//
// remote is the last one's. The next window after one with a flood begins with counting; a
// window without one ends it.
type flood struct {
	line func(slog.Level, string, []slog.Attr)

	mu     sync.Mutex
	closed bool
	of     map[floodKey]*floodCount
}

// floodKey is bounded: there are two messages, and reasons that are not in the list share one.
type floodKey struct {
	msg    string
	reason Reason
}

type floodCount struct {
	first  int // lines that may still be written in this window
	count  int // events without one
	remote string
	role   Role
	timer  *time.Timer
}

// passes reports whether an event gets a line of its own.
func (f *flood) passes(e Event) bool {
	var s Session
	key := floodKey{reason: OtherReason}
	first, reason := 0, Reason("")
	switch e := e.(type) {
	case Refused:
		s, reason, key.msg, first = e.Session, e.Reason, "refused", refusedFirst
	case SessionClosed:
		if e.Phase == PhaseMedia {
			return true
		}
		s, reason, key.msg, first = e.Session, e.Reason, "session closed", closedFirst
	default:
		return true
	}
	if _, known := reason.Lookup(); known {
		key.reason = reason
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.of[key]
	switch {
	case f.closed:
		return true
	case c == nil:
		c = &floodCount{first: first}
		if f.of == nil {
			f.of = make(map[floodKey]*floodCount)
		}
		f.of[key] = c
		c.timer = time.AfterFunc(floodWindow, func() { f.sumUp(key, c) })
	}
	if c.first > 0 {
		c.first--
		return true
	}
	c.count++
	c.remote, c.role = s.Remote, s.Role
	return false
}

// sumUp ends a window.
func (f *flood) sumUp(key floodKey, c *floodCount) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
	case c.count == 0:
		delete(f.of, key)
	default:
		f.tell(key, c)
		c.first, c.count = 0, 0
		c.timer.Reset(floodWindow)
	}
}

// tell needs f.mu, so that the last line is written when close returns.
func (f *flood) tell(key floodKey, c *floodCount) {
	a := Session{Remote: c.remote, Role: c.role}.attrs()
	f.line(slog.LevelInfo, key.msg, append(a, slog.String("reason", string(key.reason)),
		slog.Int("count", c.count), slog.Duration("dur", floodWindow)))
}

func (f *flood) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for key, c := range f.of {
		c.timer.Stop()
		if c.count > 0 {
			f.tell(key, c)
		}
	}
	f.of = nil
}
