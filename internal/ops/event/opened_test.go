package event

import (
	"bytes"
	"log/slog"
	"testing"
)

// Every session opens: at the level that nodes run with, that costs nothing.
func TestOpenedSessionCostsNothingWhereNobodyWantsItsLine(t *testing.T) {
	var out bytes.Buffer
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		l := NewLog(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level})))
		var e Event = SessionOpened{Session: Session{Conn: 1, Remote: "192.0.2.1:1"}}
		out.Reset()
		n := testing.AllocsPerRun(10, func() { l.Sink(e) })
		l.Close()
		if wrote := out.Len() > 0; wrote != want || !want && n != 0 {
			t.Errorf("%v: a line: %v, %v allocations", level, wrote, n)
		}
	}
}
