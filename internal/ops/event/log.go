package event

import (
	"context"
	"log/slog"
)

// Log writes each event as one log line, but for floods: see [flood].
type Log struct {
	log   *slog.Logger
	flood flood
}

// NewLog returns a Log. The node's name belongs into log (log.With("node", name)).
func NewLog(log *slog.Logger) *Log {
	l := &Log{log: log}
	l.flood.line = l.write
	return l
}

// Sink is the Log as a [Sink].
func (l *Log) Sink(e Event) {
	if _, opened := e.(SessionOpened); opened && !l.log.Enabled(context.Background(), openedLevel) {
		return // every session has one: its line is not made to see that nobody wants it
	}
	level, msg, attrs := e.line()
	if l.log.Enabled(context.Background(), level) && l.flood.passes(e) {
		l.write(level, msg, attrs)
	}
}

// Close writes what has been counted and not been told yet.
func (l *Log) Close() { l.flood.close() }

func (l *Log) write(level slog.Level, msg string, attrs []slog.Attr) {
	l.log.LogAttrs(context.Background(), level, msg, attrs...)
}
