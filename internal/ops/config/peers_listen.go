package config

import (
	"net"
	"strings"
)

// PeersListen is where this node's member of an embedded store listens for the others: its own address among
// store.peers or, when that is a name, all addresses of its port; localhost is 127.0.0.1. A name often means
// 127.0.1.1 to its own host. Empty: it is not among them, or its address is none.
func (c *Config) PeersListen() string {
	for _, p := range c.Store.Peers {
		addr, ok := strings.CutPrefix(p, c.Node.Name+"=")
		if !ok {
			continue
		}
		switch host, port, err := net.SplitHostPort(addr); {
		case err != nil:
			return "" // no address: peers says so
		case host == "localhost":
			return net.JoinHostPort("127.0.0.1", port)
		case net.ParseIP(host) == nil:
			return net.JoinHostPort("0.0.0.0", port)
		default:
			return addr
		}
	}
	return ""
}
