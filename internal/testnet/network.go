package testnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
)

// Network connects listeners and dialers of one test. The zero value is ready.
type Network struct {
	// Faults, if set, says how the next link to an address is.
	Faults func(addr string) Faults

	mu        sync.Mutex
	listeners map[string]*listener
	black     map[string]bool
	links     map[string][]*Link
	dialled   map[string]int
	ports     uint16
	number    uint64
}

// Client is the address that Dial dials from.
const Client = "192.0.2.1"

// Listen opens a listener at an address, host:port with a numeric host.
func (n *Network) Listen(addr string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[addr] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{n: n, name: addr, addr: net.TCPAddrFromAddrPort(at), backlog: make(chan net.Conn, 1024), done: make(chan struct{})}
	if n.listeners == nil {
		n.listeners = make(map[string]*listener)
	}
	n.listeners[addr] = l
	return l, nil
}

// Blackhole makes dials to an address wait for ever (on), or not (off): a silent
// partition as a newcomer sees it.
func (n *Network) Blackhole(addr string, on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.black == nil {
		n.black = make(map[string]bool)
	}
	n.black[addr] = on
}

// Dial connects to a listener from [Client].
func (n *Network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return n.DialFrom(ctx, Client, addr)
}

// DialFrom connects to a listener from a host of the test's choice.
func (n *Network) DialFrom(ctx context.Context, host, addr string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	from, err := netip.ParseAddr(host)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if n.dialled == nil {
		n.dialled, n.links = make(map[string]int), make(map[string][]*Link)
	}
	n.dialled[addr]++
	if n.black[addr] {
		n.mu.Unlock()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
	}
	l := n.listeners[addr]
	if l == nil {
		n.mu.Unlock()
		return nil, refused
	}
	n.ports++
	n.number++
	var f Faults
	if n.Faults != nil {
		f = n.Faults(addr)
	}
	link := newLink(f, n.number)
	n.links[addr] = append(n.links[addr], link)
	local := net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 1024+n.ports))
	n.mu.Unlock()

	select {
	case l.backlog <- &conn{in: link.up, out: link.down, local: l.addr, remote: local}:
		return &conn{in: link.down, out: link.up, local: local, remote: l.addr}, nil
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
	}
}

// Links returns every link to an address so far, oldest first, ended ones too.
func (n *Network) Links(addr string) []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.links[addr])
}

// Dialled is how many dials to an address there were, failed ones too.
func (n *Network) Dialled(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dialled[addr]
}

type listener struct {
	n       *Network
	name    string
	addr    net.Addr
	backlog chan net.Conn
	once    sync.Once
	done    chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
	default:
		select {
		case c := <-l.backlog:
			return c, nil
		case <-l.done:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

// Close ends the listener; who waits in its backlog is reset.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.n.mu.Lock()
		delete(l.n.listeners, l.name)
		l.n.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.backlog:
				c.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// Pipe is one connection without a listener: both ends and the link between. The
// first end is the one that dialled.
func Pipe(f Faults) (client, server net.Conn, l *Link) {
	l = newLink(f, 0)
	at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.2:1935"))
	from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(Client + ":1024"))
	return &conn{in: l.down, out: l.up, local: from, remote: at}, &conn{in: l.up, out: l.down, local: at, remote: from}, l
}
