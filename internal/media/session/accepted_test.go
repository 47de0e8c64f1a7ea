package session_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// first takes a publisher, and is told of it.
type first struct {
	slow
	p *session.Publish
}

func (h *first) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	h.p = p
	return sink{}, nil
}

// hooked is a listener whose connections tell of what they write before they do.
type hooked struct {
	net.Listener
	write func([]byte)
}

func (l hooked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return hookedConn{c, l.write}, err
}

type hookedConn struct {
	net.Conn
	write func([]byte)
}

func (c hookedConn) Write(b []byte) (int, error) {
	c.write(b)
	return c.Conn.Write(b)
}

// A publisher that is ended while it is being told that it is accepted has no more than any other one: the connection ends with it.
func TestAPublisherThatIsEndedAtOnceEndsTheConnection(t *testing.T) {
	h := &first{}
	rec := &event.Recorder{}
	s := session.NewServer(session.Options{Node: "a", Secret: func() []byte { return nil }, Handler: h, Emit: rec.Sink,
		Handshake: 10 * time.Second, Command: 10 * time.Second, ConnectionsPerAddr: 100})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := func(b []byte) {
		if !bytes.Contains(b, []byte(rtmp.CodePublishStart)) {
			return
		}
		go h.p.Evict(rtmp.CodePublishBadName, event.TakenOver, errors.New("taken over"))
		for end := time.Now().Add(5 * time.Second); len(s.Held()) > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(hooked{l, accepted}, nil) }()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://a/live"}); err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(10 * time.Second)) // a handshake lifts any
	c.Send(id, "publish", "s", "live")
	for err == nil {
		_, err = c.Next()
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Error("the connection is kept, and nothing is on it")
	}
	nc.Close()
	l.Close()
	<-served
	s.Close(t.Context())
	if closed := event.Of[event.SessionClosed](rec); len(closed) != 1 || closed[0].Reason != event.TakenOver {
		t.Errorf("closed: %+v", closed)
	}
}
