package chaos

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is TCP in memory between hosts. A cut between two hosts holds back what they send
// each other until it is mended, as retransmission does; connections do not break by it.
type network struct {
	mu      sync.Mutex
	news    chan struct{} // closed at every change of what is cut
	cut     map[[2]string]bool
	servers map[string]*listener // by address
	port    int
}

func newNetwork() *network {
	return &network{news: make(chan struct{}), cut: map[[2]string]bool{}, servers: map[string]*listener{}, port: 20000}
}

// link cuts, or mends, the way from one host to another. "*" is all.
func (n *network) link(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if cut {
		n.cut[[2]string{from, to}] = true
	} else {
		delete(n.cut, [2]string{from, to})
	}
	close(n.news)
	n.news = make(chan struct{})
}

func (n *network) blocked(from, to string) (bool, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return from != to && (n.cut[[2]string{from, to}] || n.cut[[2]string{from, "*"}] || n.cut[[2]string{"*", to}]), n.news
}

// endpoint is a process's, or a client's, place in the network.
type endpoint struct {
	n    *network
	host string

	mu    sync.Mutex
	dead  bool
	conns map[*conn]bool
	ls    []*listener
}

func (n *network) endpoint(host string) *endpoint {
	return &endpoint{n: n, host: host, conns: map[*conn]bool{}}
}

// die is the end of a process: its peers get a reset.
func (e *endpoint) die() {
	e.mu.Lock()
	e.dead = true
	conns, ls := e.conns, e.ls
	e.conns, e.ls = nil, nil
	e.mu.Unlock()
	for _, l := range ls {
		l.Close()
	}
	for c := range conns {
		c.reset()
	}
}

func (e *endpoint) add(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return false
	}
	e.conns[c] = true
	return true
}

type listener struct {
	e     *endpoint
	addr  *net.TCPAddr
	queue chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (e *endpoint) listen(_, addr string) (net.Listener, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &listener{e: e, addr: a, queue: make(chan net.Conn, 128), done: make(chan struct{})}
	e.n.mu.Lock()
	e.n.servers[addr] = l
	e.n.mu.Unlock()
	e.mu.Lock()
	e.ls = append(e.ls, l)
	e.mu.Unlock()
	return l, nil
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.e.n.mu.Lock()
		if l.e.n.servers[l.addr.String()] == l {
			delete(l.e.n.servers, l.addr.String())
		}
		l.e.n.mu.Unlock()
		for {
			select {
			case c := <-l.queue:
				c.(*conn).reset()
			default:
				return
			}
		}
	})
	return nil
}

// dial connects to whoever listens at addr. While the way is cut it waits.
func (e *endpoint) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	host, _, _ := net.SplitHostPort(addr)
	for {
		there, news := e.n.blocked(e.host, host)
		back, _ := e.n.blocked(host, e.host)
		if !there && !back {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fail(context.Cause(ctx))
		}
	}
	e.n.mu.Lock()
	l := e.n.servers[addr]
	e.n.port++
	from := &net.TCPAddr{IP: net.ParseIP(e.host), Port: e.n.port}
	e.n.mu.Unlock()
	if l == nil {
		return fail(syscall.ECONNREFUSED)
	}
	there, back := newPipe(e.n, e.host, host), newPipe(e.n, host, e.host)
	ours := &conn{e: e, in: back, out: there, local: from, remote: l.addr}
	theirs := &conn{e: l.e, in: there, out: back, local: l.addr, remote: from}
	if !e.add(ours) || !l.e.add(theirs) {
		return fail(syscall.ECONNREFUSED)
	}
	select {
	case l.queue <- theirs:
		return ours, nil
	case <-l.done:
		return fail(syscall.ECONNREFUSED)
	}
}

// conn is one end of a connection. Writes never wait: what is under way is bounded by what a run sends
// in all.
type conn struct {
	e             *endpoint
	in, out       *pipe
	local, remote net.Addr
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c *conn) Close() error {
	c.out.end(io.EOF)
	c.in.abandon()
	c.forget()
	return nil
}

func (c *conn) CloseWrite() error {
	c.out.end(io.EOF)
	return nil
}

func (c *conn) reset() {
	c.out.end(syscall.ECONNRESET)
	c.in.abandon()
}

func (c *conn) forget() {
	c.e.mu.Lock()
	delete(c.e.conns, c)
	c.e.mu.Unlock()
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }
func (c *conn) SetDeadline(t time.Time) error {
	c.in.deadline(t)
	return nil
}
func (c *conn) SetReadDeadline(t time.Time) error  { c.in.deadline(t); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { return nil }

// pipe is one direction.
type pipe struct {
	n        *network
	from, to string

	mu     sync.Mutex
	buf    []byte
	err    error // of the sender's end
	gone   bool  // the reader has closed
	due    time.Time
	change chan struct{} // closed at every change
}

func newPipe(n *network, from, to string) *pipe {
	return &pipe{n: n, from: from, to: to, change: make(chan struct{})}
}

// changed needs p.mu.
func (p *pipe) changed() {
	close(p.change)
	p.change = make(chan struct{})
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, net.ErrClosed
	case p.gone:
		if cut, _ := p.n.blocked(p.to, p.from); !cut {
			return 0, syscall.EPIPE
		}
	}
	p.buf = append(p.buf, b...)
	p.changed()
	return len(b), nil
}

func (p *pipe) read(b []byte) (int, error) {
	for {
		cut, news := p.n.blocked(p.from, p.to)
		p.mu.Lock()
		switch {
		case p.gone:
			p.mu.Unlock()
			return 0, net.ErrClosed
		case !p.due.IsZero() && !time.Now().Before(p.due):
			p.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case !cut && len(p.buf) > 0:
			n := copy(b, p.buf)
			p.buf = p.buf[n:]
			p.mu.Unlock()
			return n, nil
		case !cut && p.err != nil:
			p.mu.Unlock()
			return 0, p.err
		}
		change := p.change
		var due <-chan time.Time
		if !p.due.IsZero() {
			due = time.After(time.Until(p.due))
		}
		p.mu.Unlock()
		select {
		case <-change:
		case <-news:
		case <-due:
		}
	}
}

func (p *pipe) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		p.changed()
	}
}

func (p *pipe) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	p.changed()
}

func (p *pipe) deadline(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = t
	p.changed()
}
