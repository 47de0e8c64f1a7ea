package config

import (
	"fmt"
	"net/netip"
)

// ProxyProtocol says from whom a listener takes HAProxy's PROXY protocol.
type ProxyProtocol struct {
	// Trust are the addresses and networks of the proxies. Their connections must begin
	// with a header, of version 1 or 2, and others' must not.
	Trust []string `yaml:"trust"`
}

// Trusted returns who may, and has to, send a header; nil: nobody.
func (p *ProxyProtocol) Trusted() func(netip.Addr) bool {
	nets := Networks(p.Trust)
	if len(nets) == 0 {
		return nil
	}
	return func(a netip.Addr) bool {
		a = a.Unmap().WithZone("")
		for _, n := range nets {
			if n.Contains(a) {
				return true
			}
		}
		return false
	}
}

// Networks are what a checked list of addresses and networks stands for.
func Networks(texts []string) []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range texts {
		if n, err := parseNetwork(s); err == nil {
			nets = append(nets, n)
		}
	}
	return nets
}

// parseNetwork reads an address or a network.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func (k checker) proxyProtocol(key string, p *ProxyProtocol) {
	for _, s := range p.Trust {
		n, err := parseNetwork(s)
		switch {
		case err != nil:
			k.at(key+".trust", fmt.Sprintf("%q is no address or network", s), "write them as 10.0.0.5 or 10.0.0.0/8")
		case n.Bits() == 0:
			k.at(key+".trust", fmt.Sprintf("%q is everybody: any client could claim any address", s), "name the proxies' own addresses")
		}
	}
}
