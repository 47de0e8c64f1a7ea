package event

import "log/slog"

// Placed: a front chose a server for a session. Why is the decision in words.
type Placed struct {
	Session
	Node string
	Why  string
}

// BackendFailed: the server chosen for a session could not be used; the front
// goes on to the next one.
type BackendFailed struct {
	Session
	Node   string
	Phase  Phase
	Reason Reason
	Err    error
}

// BackendChanged: a carried session went on to another server without its
// client noticing.
type BackendChanged struct {
	Session
	From, To string // node names
	Reason   Reason
}

// NotSpliced: a session that was to be joined with its server in the kernel is
// carried there instead.
type NotSpliced struct {
	Session
	Node   string
	Reason Reason
	Err    error // the particulars, or nil
}

// Redirected: a client was told to go to a server itself. NotRedirected: it did not
// go, so it is served here, now and for a while.
type (
	Redirected struct {
		Session
		Node   string
		Family string
	}
	NotRedirected struct {
		Session
		Family string
		Stayed bool // it kept the connection; else it came back
	}
)

func (e Placed) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "placed", append(e.attrs(), slog.String("on", e.Node), slog.String("why", e.Why))
}

func (e BackendFailed) line() (slog.Level, string, []slog.Attr) {
	a := append(e.attrs(), slog.String("on", e.Node), slog.String("phase", string(e.Phase)), slog.String("reason", string(e.Reason)))
	return slog.LevelWarn, "backend failed", appendErr(a, e.Err)
}

func (e BackendChanged) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "backend changed", append(e.attrs(),
		slog.String("from", e.From), slog.String("to", e.To), slog.String("reason", string(e.Reason)))
}

func (e NotSpliced) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "not spliced", appendErr(append(e.attrs(), slog.String("on", e.Node), slog.String("reason", string(e.Reason))), e.Err)
}

func (e Redirected) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelInfo, "redirected", append(e.attrs(), slog.String("to", e.Node), slog.String("why", e.Family))
}

func (e NotRedirected) line() (slog.Level, string, []slog.Attr) {
	why := e.Family + " came back"
	if e.Stayed {
		why = e.Family + " stayed"
	}
	return slog.LevelInfo, "redirect not followed", append(e.attrs(), slog.String("why", why))
}
