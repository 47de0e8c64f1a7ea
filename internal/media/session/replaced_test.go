package session_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// newest gives the stream to whoever came last, and ends who had it before it says so.
type newest struct {
	slow
	last   *session.Publish
	refuse bool
}

func (h *newest) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	if h.last != nil {
		h.last.Evict(rtmp.CodePublishBadName, event.TakenOver, errors.New("taken over"))
	}
	h.last = p
	if h.refuse {
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Reason: event.NoServer}
	}
	h.refuse = true
	return sink{}, nil
}

// One NetStream of a connection takes over what another one of it has: that one ends, the connection does not. It does
// when the newcomer is refused after all, and nothing is left.
func TestANetStreamTakesOverFromAnotherOfItsConnection(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		h := &newest{}
		rec := &event.Recorder{}
		s := session.NewServer(session.Options{Node: "a", Secret: func() []byte { return nil }, Handler: h, Emit: rec.Sink,
			Handshake: 10 * time.Second, Command: 10 * time.Second, ConnectionsPerAddr: 100})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l, nil) }()
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://a/live"}); err != nil {
			t.Fatal(err)
		}
		heard := func(id uint32) (code string) {
			for {
				ev, err := c.Next()
				if err != nil {
					return err.Error()
				}
				if ev.Kind == rtmp.EventStatus && ev.StreamID == id {
					return ev.Status.Code
				}
			}
		}
		var ids [2]uint32
		for i := range ids {
			if ids[i], err = c.CreateStreamNow(); err != nil {
				t.Fatal(err)
			}
		}
		c.Send(ids[0], "publish", "s", "live")
		if got := heard(ids[0]); got != rtmp.CodePublishStart {
			t.Fatal(got)
		}
		h.refuse = refuse
		c.Send(ids[1], "publish", "s", "live")
		if got := heard(ids[0]); got != rtmp.CodePublishBadName {
			t.Errorf("the first hears %s", got)
		}
		want := rtmp.CodePublishStart
		if refuse {
			want = rtmp.CodePublishRejected
		}
		if got := heard(ids[1]); got != want {
			t.Errorf("the second hears %s, want %s", got, want)
		}
		err = c.Ping(7)
		for answered := false; err == nil && !answered; {
			var ev rtmp.Event
			ev, err = c.Next()
			answered = err == nil && ev.Kind == rtmp.EventUserControl && ev.Control.Event == rtmp.PingResponse
		}
		if (err != nil) != refuse {
			t.Errorf("refused %v: the connection: %v", refuse, err)
		}
		nc.Close()
		l.Close()
		<-served
		s.Close(t.Context())
		if closed := event.Of[event.SessionClosed](rec); len(closed) != 1 || (closed[0].Reason == event.NoServer) != refuse {
			t.Errorf("closed: %+v", closed)
		}
	}
}
