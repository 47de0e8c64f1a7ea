package session_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

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
	closed := make(chan event.SessionClosed, 1)
	s := session.NewServer(session.Options{
		Node: "a", Secret: func() []byte { return nil }, Handler: thief{}, Record: true, Handshake: 10 * time.Second, Command: 10 * time.Second, ConnectionsPerAddr: 100,
		Emit: func(e event.Event) {
			if c, ok := e.(event.SessionClosed); ok {
				closed <- c
			}
		},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { s.Serve(l, nil) })
	defer func() {
		l.Close()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		serving.Wait()
	}()
	for _, command := range []string{"publish", "play"} {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: "live"}); err != nil {
			t.Fatal(err)
		}
		id, err := c.CreateStreamNow()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(id, command, "alice"); err != nil {
			t.Fatal(err)
		}
		for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
			all := s.Held()
			if len(all) == 0 {
				continue
			}
			if how, _ := all[0].Through(); how == "" {
				continue // it has not been taken yet
			}
			all[0].End(event.Kicked)
			tick.Stop()
			break
		}
		if e := <-closed; e.Reason != event.Kicked || e.EndedBy != event.ByServer {
			t.Errorf("%s: closed for %q by %q", command, e.Reason, e.EndedBy)
		}
	}
}
