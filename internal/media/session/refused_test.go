package session_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/testnet"
	"weir/rtmp"
)

// askedFor has no stream, and tells which it was asked for. It waits for any but the first.
type askedFor struct {
	slow
	names chan string
}

func (h askedFor) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if h.names <- p.Name.Stream; len(h.names) > 1 {
		<-ctx.Done()
	}
	return nil, &session.Rejection{Code: rtmp.CodePlayStreamNotFound, Reason: event.NotFound}
}

// Whoever is refused and has nothing else is gone before he hears of it: what he asks for in answer, however
// quickly, is not looked at any more.
func TestARefusedClientIsGoneWhenItHearsOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := askedFor{names: make(chan string, 10)}
		rec := &event.Recorder{}
		s := session.NewServer(session.Options{Node: "a", Secret: func() []byte { return nil }, Handler: h, Emit: rec.Sink,
			Wire: rtmp.Limits{Handshake: -1}, Handshake: 10 * time.Second, Command: 10 * time.Second, ConnectionsPerAddr: 100})
		var n testnet.Network
		l, err := n.Listen("10.0.0.1:1935")
		if err != nil {
			t.Fatal(err)
		}
		var c *rtmp.ClientConn
		var two uint32
		var once sync.Once
		quick := func(b []byte) {
			if bytes.Contains(b, []byte(rtmp.CodePlayStreamNotFound)) {
				once.Do(func() {
					c.Send(two, "play", "another")
					synctest.Wait() // until the server has read it
				})
			}
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(hooked{l, quick}, nil) }()
		nc, err := n.Dial(t.Context(), "10.0.0.1:1935")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c = rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: "live"}); err != nil {
			t.Fatal(err)
		}
		one, err := c.CreateStreamNow()
		if err != nil {
			t.Fatal(err)
		}
		if two, err = c.CreateStreamNow(); err != nil {
			t.Fatal(err)
		}
		nc.SetReadDeadline(time.Now().Add(time.Minute))
		c.Send(one, "play", "absent")
		for err == nil {
			_, err = c.Next()
		}
		nc.Close()
		l.Close()
		<-served
		s.Close(t.Context())
		if len(h.names) != 1 || <-h.names != "absent" {
			t.Error("it is served on")
		}
		if closed := event.Of[event.SessionClosed](rec); len(closed) != 1 || closed[0].Reason != event.NotFound {
			t.Errorf("closed: %+v", closed)
		}
	})
}
