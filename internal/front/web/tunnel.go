package web

import (
	"errors"
	"io"
	"math"
	"net"
	"sync/atomic"
	"time"
)

var errIdle = errors.New("web: nothing passed through the upgraded connection for too long")

// tunnel is an upgraded connection: bytes both ways, of which this side knows
// nothing. It ends when either end does, or when nothing has passed for idle.
type tunnel struct {
	p     *passing
	idle  time.Duration
	last  atomic.Int64 // time of the last byte, in ns since began
	began time.Time
	timer *time.Timer

	back  io.ReadWriteCloser
	front net.Conn
}

func newTunnel(idle time.Duration, p *passing) *tunnel {
	return &tunnel{p: p, idle: idle, began: time.Now()}
}

// server is the server's end, as the proxy sees it.
func (t *tunnel) server(c io.ReadWriteCloser) io.ReadWriteCloser {
	t.back = c
	return tunnelServer{t, c}
}

// client is the client's end, as the proxy sees it.
func (t *tunnel) client(c net.Conn) net.Conn {
	t.front = c
	t.p.closeAtEnd(c)
	if t.idle > 0 {
		// Armed once it is in its field, which look reads.
		t.timer = time.AfterFunc(math.MaxInt64, t.look)
		t.timer.Reset(t.idle)
	}
	return tunnelClient{c, t}
}

// look ends the tunnel if it was idle, else looks again when it could be.
func (t *tunnel) look() {
	quiet := time.Since(t.began) - time.Duration(t.last.Load())
	if quiet < t.idle {
		t.timer.Reset(t.idle - quiet)
		return
	}
	t.p.expire(errIdle)
	t.front.Close() // a write to it may hang
	t.back.Close()
}

func (t *tunnel) passed() { t.last.Store(int64(time.Since(t.began))) }

type tunnelServer struct {
	t *tunnel
	io.ReadWriteCloser
}

func (s tunnelServer) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	s.t.passed()
	return n, err
}

// CloseWrite passes on that the client has said all.
func (s tunnelServer) CloseWrite() error {
	if c, ok := s.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errIdle // the whole ends
}

type tunnelClient struct {
	net.Conn
	t *tunnel
}

func (c tunnelClient) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.t.passed()
	c.t.p.arrived(n)
	if c.t.p.entry.In != nil {
		c.t.p.entry.In.Add(int64(n))
	}
	return n, err
}

func (c tunnelClient) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.t.passed()
	c.t.p.response.sent(n)
	return n, err
}

// CloseWrite passes on that the server has said all.
func (c tunnelClient) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errIdle
}

func (c tunnelClient) Close() error {
	if c.t.timer != nil {
		c.t.timer.Stop()
	}
	return c.Conn.Close()
}
