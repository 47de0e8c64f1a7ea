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

	// backendWindow is how often what sessions say of one server is summed up, after the first of them. Why not
	// longer: it is the news of the moment. Why not shorter: a server that dies has a thousand sessions that all say so.
	backendWindow = time.Second
	// backendsTold bounds the servers that are summed up by name; the rest are together. Their names
	// are the operator's, or those of nodes.
	backendsTold = 1000
)

// flood keeps strangers from filling the log: who is turned away costs a line only as
// one of the first for that reason. The others are counted, and told in one line for
// each reason and window:
//
//	refused reason=address-limit count=4711 remote=192.0.2.9:4711 dur=10s
//
// So is what the sessions of one server say of it in a second:
//
//	backend failed on=edge1 reason=source-lost count=999 dur=1s
//
// remote is the last one's. The next window after one with a flood begins with counting; a
// window without one ends it.
type flood struct {
	line func(slog.Level, string, []slog.Attr)

	mu     sync.Mutex
	closed bool
	of     map[floodKey]*floodCount
}

// floodKey is bounded: there are few messages, reasons that are not in the list share one, and so do
// servers beyond backendsTold.
type floodKey struct {
	msg    string
	reason Reason
	on     string // the server that it is of
}

// floodKind is what is common to all of a message.
type floodKind struct {
	first  int
	window time.Duration
	level  slog.Level
	on     string // the attribute that names the server; "" of sessions
}

var (
	refusals = floodKind{refusedFirst, floodWindow, slog.LevelInfo, ""}
	closings = floodKind{closedFirst, floodWindow, slog.LevelInfo, ""}
	failures = floodKind{1, backendWindow, slog.LevelWarn, "on"}
	moves    = floodKind{1, backendWindow, slog.LevelInfo, "from"}
)

type floodCount struct {
	kind   floodKind
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
	var kind floodKind
	var reason Reason
	switch e := e.(type) {
	case Refused:
		s, reason, key.msg, kind = e.Session, e.Reason, "refused", refusals
	case SessionClosed:
		if e.Phase == PhaseMedia {
			return true
		}
		s, reason, key.msg, kind = e.Session, e.Reason, "session closed", closings
	case BackendFailed:
		s, reason, key.msg, key.on, kind = e.Session, e.Reason, "backend failed", e.Node, failures
	case BackendChanged:
		s, reason, key.msg, key.on, kind = e.Session, e.Reason, "backend changed", e.From, moves
	default:
		return true
	}
	if _, known := reason.Lookup(); known {
		key.reason = reason
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[key] == nil && len(f.of) >= backendsTold {
		key.on = ""
	}
	c := f.of[key]
	switch {
	case f.closed:
		return true
	case c == nil:
		c = &floodCount{kind: kind, first: kind.first}
		if f.of == nil {
			f.of = make(map[floodKey]*floodCount)
		}
		f.of[key] = c
		c.timer = time.AfterFunc(kind.window, func() { f.sumUp(key, c) })
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
		c.timer.Reset(c.kind.window)
	}
}

// tell needs f.mu, so that the last line is written when close returns.
func (f *flood) tell(key floodKey, c *floodCount) {
	var a []slog.Attr
	if c.kind.on != "" {
		a = appendText(a, c.kind.on, key.on)
	} else {
		a = Session{Remote: c.remote, Role: c.role}.attrs()
	}
	f.line(c.kind.level, key.msg, append(a, slog.String("reason", string(key.reason)),
		slog.Int("count", c.count), slog.Duration("dur", c.kind.window)))
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
