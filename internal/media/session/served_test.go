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

// served is a server on a real socket, since only such connections are taken, parked and collected.
type served struct {
	*session.Server
	rec  event.Recorder // of its events
	addr string
	stop func() // ends it, and has waited for its sessions; at the end of the test at the latest
}

// serve runs a server whose limits none of these tests comes near. wrap is around its listener; nil: nothing is.
func serve(t *testing.T, o session.Options, wrap func(*served, net.Listener) net.Listener) *served {
	t.Helper()
	s := &served{}
	o.Node, o.Secret, o.Emit = "a", func() []byte { return nil }, s.rec.Sink
	o.Handshake, o.Command, o.ConnectionsPerAddr = time.Minute, time.Minute, 100
	s.Server = session.NewServer(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if wrap != nil {
		l = wrap(s, l)
	}
	serving := make(chan error, 1)
	go func() { serving <- s.Serve(l, nil) }()
	s.stop = sync.OnceFunc(func() {
		l.Close()
		if err := <-serving; err != nil {
			t.Error("Serve:", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error("Close:", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// connect returns a client that has connected. What it waits for in vain ends its test.
func (s *served) connect(t *testing.T) *rtmp.ClientConn {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	t.Cleanup(func() { c.Close() })
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://a/live"}); err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(30 * time.Second)) // behind the handshake, which lifts any
	return c
}

// netStream creates one.
func netStream(t *testing.T, c *rtmp.ClientConn) uint32 {
	t.Helper()
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
