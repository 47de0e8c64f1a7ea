package node

import "net/netip"

var (
	localhost4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	localhost6 = netip.IPv6Loopback()
)

// isNode exempts the fleet's own addresses from the limit of connections an
// address.
func (n *node) isNode(a netip.Addr) bool {
	// Behind a proxy on this machine all clients have this address, and so have
	// other nodes and load tools here. Other loopback addresses are nobody's by
	// accident, and count as any.
	if a == localhost4 || a == localhost6 {
		return true
	}
	for _, other := range n.cluster.Nodes() {
		if ap, err := netip.ParseAddrPort(other.Addresses.RTMP); err == nil && ap.Addr() == a {
			return true
		}
	}
	return false
}
