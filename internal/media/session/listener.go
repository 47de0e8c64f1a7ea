package session

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"weir/internal/ops/event"
)

// acceptPause is how long accept waits when the process is out of descriptors.
// Why not shorter: each try costs a system call and a log line at most a second.
// Why not longer: it is added to the join time of whoever comes next.
const acceptPause = 50 * time.Millisecond

// Serve accepts connections from ln until it is closed, and returns nil then.
// tlsConfig is nil on a plain listener. One Server may serve several listeners.
func (s *Server) Serve(ln net.Listener, tlsConfig *tls.Config) error {
	var lastLine time.Time
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			s.accept(nc, tlsConfig)
		case errors.Is(err, net.ErrClosed):
			return nil
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
			// Running streams keep their descriptors; newcomers wait in the backlog.
			if time.Since(lastLine) > time.Second {
				lastLine = time.Now()
				s.o.Emit.Emit(event.LimitHit{Reason: event.DescriptorsExhaust, Err: err})
			}
			select {
			case <-time.After(acceptPause):
			case <-s.ctx.Done():
				return nil
			}
		case errors.Is(err, syscall.ECONNABORTED):
			// The client left the backlog before us.
		default:
			return err
		}
	}
}

func (s *Server) accept(nc net.Conn, tlsConfig *tls.Config) {
	from := own(nc)
	if s.o.proxy(from.addr) {
		s.proxied(nc, tlsConfig, from)
		return
	}
	s.begin(nc, tlsConfig, from)
}

// origin is where a connection really comes from, and where it was to go.
type origin struct {
	remote string
	addr   netip.Addr
	local  netip.AddrPort
}

// own is what the connection itself says.
func own(nc net.Conn) origin {
	o := origin{addr: addrOf(nc)}
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		o.remote = netip.AddrPortFrom(o.addr, uint16(tcp.Port)).String() // what String says, at a third of the allocations
	} else {
		o.remote = nc.RemoteAddr().String()
	}
	if tcp, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		o.local = tcp.AddrPort()
	}
	return o
}

// begin starts the session of a connection.
func (s *Server) begin(nc net.Conn, tlsConfig *tls.Config, from origin) {
	if !s.admit(from.addr) {
		s.o.Emit.Emit(event.Refused{Session: event.Session{Remote: from.remote}, Reason: event.TooManyOfOne,
			Err: fmt.Errorf("%v has %d connections already (limits.connections_per_address)", from.addr, s.o.ConnectionsPerAddr)})
		nc.Close()
		return
	}
	if tlsConfig != nil {
		nc = tls.Server(nc, tlsConfig)
	}
	c := s.newConn(nc, tlsConfig != nil, from)
	if c == nil {
		nc.Close()
		s.leave(from.addr)
		return
	}
	go c.run(c.talk)
}

// perAddr counts connections by the peer's address.
type perAddr struct {
	mu sync.Mutex
	n  map[netip.Addr]int
}

// admit counts one more connection from addr; false if there are enough. Proven
// members are not known yet here: other nodes' addresses are exempt by
// Options.Trusted.
func (s *Server) admit(addr netip.Addr) bool {
	s.perAddr.mu.Lock()
	defer s.perAddr.mu.Unlock()
	if s.perAddr.n[addr] >= s.o.ConnectionsPerAddr && !s.o.trusted(addr) {
		return false
	}
	s.perAddr.n[addr]++
	return true
}

func (s *Server) leave(addr netip.Addr) {
	s.perAddr.mu.Lock()
	defer s.perAddr.mu.Unlock()
	if s.perAddr.n[addr]--; s.perAddr.n[addr] <= 0 {
		delete(s.perAddr.n, addr)
	}
}

func addrOf(nc net.Conn) netip.Addr {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
