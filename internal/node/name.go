package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/relay"
)

// processTimeout bounds the question to the process that has this node's name. Why not
// longer: a node that starts again after a crash waits for it if its old address takes
// connections and says nothing. Why not shorter: a busy node must be heard.
const processTimeout = time.Second

// errOneself: a connection to another's address has come out at this process.
var errOneself = errors.New("this process listens there")

// askProcess implements cluster.Options.Ask: it asks at the address of a process that is
// registered under this node's name whether it is still there.
func (n *node) askProcess(ctx context.Context, holder cluster.NodeRecord) cluster.Life {
	if holder.Addresses.RTMP == "" {
		return cluster.Unknown
	}
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	// Connections of their own: one to this process itself must not stay in the pool.
	peers := relay.NewPeers(n.cfg.Node.Name, n.cluster.Secret, n.dialOther)
	defer peers.Close()
	process, err := peers.Query(ctx, holder.Addresses.RTMP, queryProcess, "")
	switch {
	case errors.Is(err, errOneself), errors.Is(err, syscall.ECONNREFUSED):
		return cluster.Ended
	case err != nil:
		return cluster.Unknown
	case process == holder.Process:
		return cluster.Lives
	}
	return cluster.Ended
}

// dialOther dials, unless what answers is a listener of this process: it is bound and does
// not accept yet, so the answer would never come.
func (n *node) dialOther(ctx context.Context, addr string) (net.Conn, error) {
	nc, err := n.dialer(ctx, addr)
	if err == nil && n.isOwn(nc) {
		nc.Close()
		return nil, errOneself
	}
	return nc, err
}

// isOwn reports whether a connection leads to this node's RTMP listener: to an address of
// this machine (both ends have the same one), and the port that the listener has there.
func (n *node) isOwn(nc net.Conn) bool {
	there, own := addrPort(nc.RemoteAddr()), addrPort(n.listeners.rtmp.Addr())
	return there.Port() == own.Port() && there.Addr() == addrPort(nc.LocalAddr()).Addr() &&
		(own.Addr().IsUnspecified() || own.Addr() == there.Addr())
}

// addrPort is the zero AddrPort for what is no TCP address.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
