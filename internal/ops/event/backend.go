package event

import "log/slog"

// BackendHealth: the checks of a server that is no node have come to another verdict.
type BackendHealth struct {
	Backend string
	Up      bool
	First   bool // of it: it was not known before
	Why     string
}

// BackendLoad: the load that a server that is no node reports cannot be read (any more), or
// can again. The last that was read stays in use until it is too old.
type BackendLoad struct {
	Backend string
	Good    bool
	Why     string // what is wrong, in words; empty if Good
}

func (e BackendHealth) line() (slog.Level, string, []slog.Attr) {
	a := []slog.Attr{slog.String("on", e.Backend), slog.String("why", e.Why)}
	switch {
	case !e.Up:
		return slog.LevelWarn, "backend is down", a
	case e.First:
		return slog.LevelDebug, "backend is up", a
	}
	return slog.LevelInfo, "backend is up", a
}

func (e BackendLoad) line() (slog.Level, string, []slog.Attr) {
	a := []slog.Attr{slog.String("on", e.Backend)}
	if e.Good {
		return slog.LevelInfo, "backend load is read again", a
	}
	return slog.LevelWarn, "backend load cannot be read", append(a, slog.String("why", e.Why))
}
