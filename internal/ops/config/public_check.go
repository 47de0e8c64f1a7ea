package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// common checks the settings of a source, or of all.
func (k checker) common(at string, s BackendSettings) {
	k.settings(at, s)
	if s.Public == nil || *s.Public == "" {
		return
	}
	key := at + ".public"
	if !k.placeholders(key, *s.Public) {
		return
	}
	if !strings.Contains(*s.Public, "{host}") && !strings.Contains(*s.Public, "{name}") {
		k.at(key, "every server would have this address", "write {host} or {name} for the server's own, as in {name}.example.com:1935, or give it at each server")
		return
	}
	k.public(key, ownOf("host", "name").Replace(*s.Public))
}

// public checks an address at which clients are to reach a server.
func (k checker) public(key, addr string) {
	if !k.placeholders(key, addr) {
		return
	}
	k.dialable(key, addr, "1935")
	k.oneHost(key, addr)
}

// oneHost refuses an address that no one host has, so that no client can connect to it.
func (k checker) oneHost(key, addr string) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	if a, err := netip.ParseAddr(host); err == nil && (a.IsUnspecified() || a.IsMulticast()) {
		k.at(key, fmt.Sprintf("%q is nobody's address", addr), "write what clients connect to")
	}
}

// nodePublic checks node.public, whose port may be left out.
func (k checker) nodePublic() {
	const key = "node.public"
	addr := k.Node.Public
	switch _, _, err := net.SplitHostPort(addr); {
	case addr == "":
	case err != nil && !strings.ContainsAny(addr, " \t\r\n/@?#%\\[]") && (!strings.Contains(addr, ":") || net.ParseIP(addr) != nil):
		k.oneHost(key, addr)
	default:
		k.public(key, addr)
	}
}
