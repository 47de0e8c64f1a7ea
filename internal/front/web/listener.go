package web

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"weir/internal/ops/event"
	"weir/internal/proxyproto"
)

// ListenOptions are what [Listen] adds to a listener.
type ListenOptions struct {
	// Announced reports peers whose connections begin with a PROXY header; nil:
	// nobody's do. From others it would be the request's own bytes, and no request
	// begins like that.
	Announced func(netip.Addr) bool
	// PerAddr bounds the connections of one address, Exempt those it does not count for.
	PerAddr int
	Exempt  func(netip.Addr) bool
	Emit    event.Sink
}

// Listen is ln with each connection's true peer, and with fewer connections of one
// address than there may be. Closing it closes ln.
func Listen(ln net.Listener, o ListenOptions) net.Listener {
	return &listener{Listener: ln, o: o, ready: make(chan net.Conn), closed: make(chan struct{}), slots: make(chan struct{}, maxPending)}
}

type listener struct {
	net.Listener
	o     ListenOptions
	open  perAddr
	once  sync.Once
	run   sync.Once
	ready chan net.Conn // whose header has been read, and errors of accept as nil
	slots chan struct{}

	mu     sync.Mutex
	err    error
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	l.run.Do(func() { go l.accept() })
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.closed:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err != nil {
			return nil, l.err
		}
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.end(nil)
	return err
}

func (l *listener) end(err error) {
	l.once.Do(func() {
		l.mu.Lock()
		l.err = err
		l.mu.Unlock()
		close(l.closed)
	})
}

// acceptPause is how long accept waits when the process is out of descriptors.
const acceptPause = 50 * time.Millisecond

func (l *listener) accept() {
	for {
		nc, err := l.Listener.Accept()
		switch {
		case err == nil:
			l.admit(nc)
		case errors.Is(err, syscall.ECONNABORTED):
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
			l.o.Emit.Emit(event.LimitHit{Reason: event.DescriptorsExhaust, Err: err})
			select {
			case <-time.After(acceptPause):
			case <-l.closed:
				return
			}
		default:
			l.end(err)
			return
		}
	}
}

func (l *listener) admit(nc net.Conn) {
	peer := addrOf(nc.RemoteAddr())
	if l.o.Announced == nil || !l.o.Announced(peer) {
		l.hand(nc, nc.RemoteAddr(), peer)
		return
	}
	select {
	case l.slots <- struct{}{}:
	default:
		nc.Close()
		return
	}
	go func() {
		nc.SetReadDeadline(time.Now().Add(proxyHeaderTimeout))
		h, err := proxyproto.Read(nc)
		nc.SetReadDeadline(time.Time{})
		<-l.slots
		if err != nil {
			l.o.Emit.Emit(event.Refused{Session: event.Session{Remote: nc.RemoteAddr().String()}, Reason: event.BadProxyHeader, Err: err})
			nc.Close()
			return
		}
		if !h.Source.IsValid() { // the proxy's own connection, or it does not know
			l.hand(nc, nc.RemoteAddr(), peer)
			return
		}
		l.hand(nc, net.TCPAddrFromAddrPort(h.Source), h.Source.Addr().Unmap())
	}()
}

// hand gives a connection to Accept, unless its client has enough.
func (l *listener) hand(nc net.Conn, remote net.Addr, client netip.Addr) {
	c := &conn{Conn: nc, remote: remote}
	if l.o.PerAddr > 0 && (l.o.Exempt == nil || !l.o.Exempt(client)) {
		if !l.open.enter(client, l.o.PerAddr) {
			l.o.Emit.Emit(event.Refused{Session: event.Session{Remote: remote.String()}, Reason: event.TooManyOfOne})
			nc.Close()
			return
		}
		c.left = sync.OnceFunc(func() { l.open.leave(client) })
	}
	select {
	case l.ready <- c:
	case <-l.closed:
		c.Close()
	}
}

func addrOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// conn is a connection whose peer may be another than the socket's.
type conn struct {
	net.Conn
	remote net.Addr
	left   func()
}

func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) Close() error {
	if c.left != nil {
		c.left()
	}
	return c.Conn.Close()
}

// CloseWrite is for upgraded connections, and for net/http's orderly ends.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}
