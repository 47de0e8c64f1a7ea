package health

import (
	"net"
	"net/netip"

	"weir/internal/control/fleet"
	"weir/internal/proxyproto"
)

// hello is what a check says before it speaks, to a server that expects to be told whose connection it
// gets: that there is no client behind it; nil if it expects nothing.
func hello(a fleet.Announce, nc net.Conn) []byte {
	var nobody netip.AddrPort
	switch a {
	case fleet.AnnounceProxyV1:
		return proxyproto.AppendV1(nil, nobody, nobody)
	case fleet.AnnounceProxyV2:
		return proxyproto.AppendV2(nil, nobody, nobody)
	case fleet.AnnounceSRS: // which knows no "nobody": our own address
		own := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if t, ok := nc.LocalAddr().(*net.TCPAddr); ok && t.AddrPort().Addr().Unmap().Is4() {
			own = t.AddrPort().Addr()
		}
		return proxyproto.AppendSRS(nil, netip.AddrPortFrom(own, 0))
	}
	return nil
}
