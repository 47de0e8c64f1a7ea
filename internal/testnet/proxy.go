package testnet

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
)

// Proxy forwards TCP connections to a target through links with faults.
type Proxy struct {
	ln     net.Listener
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	target string
	faults Faults
	links  []*Link
}

// NewProxy listens on a free port of 127.0.0.1 and forwards to target, host:port.
func NewProxy(target string, f Faults) (*Proxy, error) {
	return NewProxyAt("127.0.0.1:0", target, f)
}

// NewProxyAt is NewProxy at an address of the caller's choice: for a program that tells others its own
// port and another host's name.
func NewProxyAt(addr, target string, f Faults) (*Proxy, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, faults: f, target: target}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.wg.Go(p.serve)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// SetTarget sends later connections elsewhere.
func (p *Proxy) SetTarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// SetFaults says how later connections are.
func (p *Proxy) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Links returns every connection so far, oldest first, ended ones too.
func (p *Proxy) Links() []*Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.links)
}

// Close resets what is left and waits for it.
func (p *Proxy) Close() {
	p.ln.Close()
	p.cancel()
	p.wg.Wait()
}

func (p *Proxy) serve() {
	for {
		nc, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.forward(nc.(*net.TCPConn)) })
	}
}

func (p *Proxy) forward(client *net.TCPConn) {
	defer client.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	var d net.Dialer
	nc, err := d.DialContext(p.ctx, "tcp", target)
	if err != nil {
		client.SetLinger(0)
		return
	}
	server := nc.(*net.TCPConn)
	defer server.Close()
	p.mu.Lock()
	l := newLink(p.faults, uint64(len(p.links)))
	p.links = append(p.links, l)
	p.mu.Unlock()
	// Also through a stall: reset wakes both directions, and the sockets end the rest.
	stop := context.AfterFunc(p.ctx, func() { abort(l, client, server) })
	defer stop()

	var wg sync.WaitGroup
	for _, way := range []struct {
		h        *half
		from, to *net.TCPConn
	}{{l.up, client, server}, {l.down, server, client}} {
		wg.Go(func() {
			_, err := io.Copy(struct{ io.Writer }{way.h}, way.from)
			if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
				abort(l, client, server)
				return
			}
			way.h.change(func() { way.h.fin = true })
		})
		wg.Go(func() {
			if _, err := io.Copy(way.to, struct{ io.Reader }{way.h}); err != nil {
				abort(l, client, server)
				return
			}
			way.to.CloseWrite()
		})
	}
	wg.Wait()
}

// abort resets the link and both sockets.
func abort(l *Link, socks ...*net.TCPConn) {
	l.Reset()
	for _, s := range socks {
		s.SetLinger(0)
		s.Close()
	}
}
