package front_test

import (
	"errors"
	stdnet "net"
	"strings"
	"testing"
	"time"

	"weir/internal/media/mediatest"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// hangsUp is nginx-rtmp with an application that it does not have: it reads the connect and ends the connection.
func hangsUp(nc stdnet.Conn) {
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() == nil {
		c.ReadConnect()
	}
}

// hangsUpLater has the application, and hangs up on the stream.
func hangsUpLater(nc stdnet.Conn) {
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() != nil {
		return
	}
	if _, err := c.ReadConnect(); err != nil || c.AcceptConnect(nil) != nil {
		return
	}
	for {
		ev, err := c.Next()
		if err != nil || ev.Kind == rtmp.EventPublish || ev.Kind == rtmp.EventPlay {
			return
		}
	}
}

// A server that hangs up on what a client asks says no, and lives.
func TestWhoHangsUpOnAStreamIsNotDead(t *testing.T) {
	for what, script := range map[string]func(stdnet.Conn){"at connect": hangsUp, "at the stream": hangsUpLater} {
		t.Run(what, func(t *testing.T) {
			behind(t, nil, func(t *testing.T, w *foreignFleet) {
				w.a.script, w.b.script = script, script
				for code, run := range map[string]*mediatest.Run{
					rtmp.CodePublishRejected: w.Publish(w.fronts[0], alice, 1),
					rtmp.CodePlayFailed:      w.View(w.fronts[0], stream.Name{App: "live", Stream: "b"}, nil).Run,
				} {
					elapse(4 * time.Second)
					over, err := run.Ended()
					var refused *rtmp.StatusError
					if !over || !errors.As(err, &refused) || refused.Status.Code != code || !strings.Contains(refused.Status.Description, "hung up") {
						t.Errorf("%s: %v %v", code, over, err)
					}
				}
				for _, server := range []string{"a", "b"} {
					if n := w.book.count(w.book.failed, server); n != 0 {
						t.Errorf("%s counts as failed %d times", server, n)
					}
				}
				for _, e := range event.Of[event.BackendFailed](w.fronts[0].Rec) {
					if e.Reason != event.BackendRefused {
						t.Errorf("%s: %s", e.Node, e.Reason)
					}
				}
				closed := event.Of[event.SessionClosed](w.fronts[0].Rec)
				if len(closed) != 2 || closed[0].Reason != event.BackendRefused || closed[1].Reason != event.BackendRefused {
					t.Errorf("%+v", closed)
				}
			})
		})
	}
}

// One that cannot be reached hides no answer, whichever is tried first.
func TestWhoHangsUpIsHeardBesideADeadOne(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.a.script = hangsUp
		w.b.kill()
		run := w.Publish(w.fronts[0], alice, 1)
		elapse(4 * time.Second)
		var refused *rtmp.StatusError
		if over, err := run.Ended(); !over || !errors.As(err, &refused) || !strings.Contains(refused.Status.Description, "hung up") {
			t.Errorf("%v %v", over, err)
		}
		if a, b := w.book.count(w.book.failed, "a"), w.book.count(w.book.failed, "b"); a != 0 || b == 0 {
			t.Errorf("%d failures of the first, %d of the second", a, b)
		}
	})
}
