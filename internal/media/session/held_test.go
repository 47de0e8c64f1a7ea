package session_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// thief takes every connection, as a front does that joins it with a server. What it took ends when
// the session closes it, for a reason of its own that says nothing.
type thief struct{}

type loot struct{ end func() }

func (l *loot) Write(*rtmp.Message) error { return nil }
func (l *loot) Pause(bool)                {}
func (l *loot) Receive(audio, video bool) {}
func (l *loot) Leave()                    { l.end() }
func (l *loot) Close()                    { l.end() }

func newLoot(w *session.Wire, err error) (*loot, error) {
	if err != nil {
		return nil, err
	}
	l := &loot{sync.OnceFunc(func() {
		w.Conn.Close()
		w.Ended(event.InternalFault, event.ByServer, nil)
	})}
	w.Attach(l.end, func() (in, out int64) { return 0, 0 })
	return l, nil
}

func (thief) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	return newLoot(p.Take())
}
func (thief) Play(_ context.Context, p *session.Play) (session.Player, error) {
	return newLoot(p.Take())
}
func (thief) Query(context.Context, string, string) (string, error) { return "", nil }

// A session that is ended from outside says for whose sake in its closing line, also if somebody has taken
// its connection who hears of the end first.
func TestWhoEndsATakenConnection(t *testing.T) {
	s := serve(t, session.Options{Handler: thief{}, Record: true}, nil)
	for _, command := range []string{"publish", "play"} {
		c := s.connect(t)
		id := netStream(t, c)
		if err := c.Send(id, command, "alice"); err != nil {
			t.Fatal(err)
		}
		var held session.Held
		for how := ""; how == ""; runtime.Gosched() { // until it is taken, of which nobody tells
			if all := s.Held(); len(all) > 0 {
				held = all[0]
				how, _ = held.Through()
			}
		}
		held.End(event.Kicked)
		e, err := event.WaitFor(t.Context(), &s.rec, func(e event.SessionClosed) bool { return e.Conn == held.Conn })
		if err != nil || e.Reason != event.Kicked || e.EndedBy != event.ByServer {
			t.Errorf("%s: closed for %q by %q", command, e.Reason, e.EndedBy)
		}
	}
}
