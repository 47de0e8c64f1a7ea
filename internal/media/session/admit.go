package session

import (
	"fmt"
	"net/netip"

	"weir/internal/ops/event"
)

// Admit counts something else that one address holds, a viewer over HTTP, among its
// connections. ok is false if it has enough; else leave has to be called, once, at the end.
func (s *Server) Admit(who event.Session) (leave func(), ok bool) {
	ap, err := netip.ParseAddrPort(who.Remote)
	if err != nil {
		return func() {}, true // no address of a network
	}
	addr := ap.Addr().Unmap()
	if !s.admit(addr) {
		s.o.Emit.Emit(event.Refused{Session: who, Reason: event.TooManyOfOne,
			Err: fmt.Errorf("%v has %d connections already (limits.connections_per_address)", addr, s.o.ConnectionsPerAddr)})
		return nil, false
	}
	return func() { s.leave(addr) }, true
}
