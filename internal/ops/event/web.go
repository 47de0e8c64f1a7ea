package event

import (
	"log/slog"
	"time"
)

// Proxied: a request over HTTP was answered by a server behind this node, or by
// nobody. What lasts (a stream, an upgraded connection) is a session and this its
// closing line; segments and pages are told at the level of protocol.
type Proxied struct {
	Session
	Server   string // its name; empty: nobody could be chosen
	Status   int    // of the answer; 0: the client did not wait for it
	Reason   Reason // why this node ended it; "": it did not
	Lasting  bool
	BytesIn  int64 // of bodies
	BytesOut int64
	Dur      time.Duration
	Err      error
}

func (e Proxied) line() (slog.Level, string, []slog.Attr) {
	level := slog.LevelDebug
	if e.Lasting {
		level = slog.LevelInfo
	}
	a := appendText(e.attrs(), "on", e.Server)
	a = appendText(append(a, slog.Int("status", e.Status)), "reason", string(e.Reason))
	a = appendErr(a, e.Err)
	return level, "request passed", append(a, slog.Int64("bytes_in", e.BytesIn), slog.Int64("bytes_out", e.BytesOut), slog.Duration("dur", e.Dur))
}

// HandlerPanicked: a request over HTTP ended in a fault of this node, which has closed
// its connection and goes on.
type HandlerPanicked struct {
	What  string // whose request, and the fault
	Stack string
}

func (e HandlerPanicked) line() (slog.Level, string, []slog.Attr) {
	return slog.LevelError, "request handler panicked", []slog.Attr{slog.String("reason", string(InternalFault)), slog.String("err", e.What+"\n"+e.Stack)}
}
