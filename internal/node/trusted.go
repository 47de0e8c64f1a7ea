package node

import (
	"net/netip"
	"sync/atomic"
	"time"

	"weir/internal/control/cluster"
)

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
	return a == localhost4 || a == localhost6 || n.addresses.has(a, n.cluster.Nodes)
}

// addressesFor is how long the nodes' addresses are taken for what they were. Why not longer: a
// node that has just come counts as a stranger. Why not shorter: each request by HTTP asks, and
// the list of a large cluster is long.
const addressesFor = 500 * time.Millisecond

// addressBook knows the addresses of all nodes, as of a moment ago. The zero value is
// ready. Any goroutine.
type addressBook struct{ page atomic.Pointer[addressPage] }

type addressPage struct {
	at  time.Time
	all map[netip.Addr]bool
}

func (b *addressBook) has(a netip.Addr, nodes func() []cluster.Node) bool {
	p := b.page.Load()
	if p == nil || time.Since(p.at) > addressesFor {
		next := &addressPage{time.Now(), map[netip.Addr]bool{}}
		for _, n := range nodes() {
			if ap, err := netip.ParseAddrPort(n.Addresses.RTMP); err == nil {
				next.all[ap.Addr()] = true
			}
		}
		b.page.Store(next)
		p = next
	}
	return p.all[a]
}
