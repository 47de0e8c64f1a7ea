package session

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"weir/internal/ops/event"
	"weir/internal/proxyproto"
)

// errNotTrusted is what package rtmp says of the same on the plain port.
var errNotTrusted = errors.New("a PROXY protocol header from a peer that is not trusted to send one")

// maxHeaders bounds how many connections of trusted proxies may be without their
// header at a time. Why not smaller: a proxy that restarts brings all its clients
// at once. Why not larger: each has a goroutine and a descriptor.
const maxHeaders = 4096

// proxied reads a trusted proxy's header, on a goroutine of its own, and starts the session
// that it is for. The connection counts as the client's that the header names.
func (s *Server) proxied(nc net.Conn, tlsConfig *tls.Config, from origin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.headers) >= maxHeaders {
		nc.Close()
		return
	}
	if s.headers == nil {
		s.headers = make(map[net.Conn]bool)
	}
	s.headers[nc] = true
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		nc.SetReadDeadline(time.Now().Add(s.o.Handshake))
		h, err := proxyproto.Read(nc)
		s.mu.Lock()
		delete(s.headers, nc)
		closed := s.closed
		s.mu.Unlock()
		switch {
		case err == nil && !closed:
			nc.SetReadDeadline(time.Time{})
			s.begin(nc, tlsConfig, from.behind(h))
			return
		case closed, err == io.EOF: // a proxy looks whether somebody listens
		default:
			s.o.Emit.Emit(event.Refused{Session: event.Session{Remote: from.remote}, Reason: event.BadProxyHeader, Err: err})
		}
		nc.Close()
	}()
}

// behind is the origin that a header names; the proxy itself if it names none.
func (o origin) behind(h proxyproto.Header) origin {
	if h.Local || !h.Source.IsValid() {
		return o
	}
	return origin{remote: h.Source.String(), addr: h.Source.Addr(), local: h.Destination}
}
