package config

import (
	"fmt"
	"net"
	"strings"
)

// peers checks the members of an embedded store: what one node's list can show. That the lists of all are the
// same, the members find out when they meet.
func (k checker) peers() {
	peers := k.Store.Peers
	if len(peers) == 0 {
		return
	}
	if len(peers)%2 == 0 {
		k.at("store.peers", fmt.Sprintf("%d members tolerate no more failures than %d", len(peers), len(peers)-1), "use 1, 3 or 5")
	}
	self := false
	names, addrs := map[string]bool{}, map[string]string{}
	local := 0 // of good addresses, those that mean each machine itself
	for i, p := range peers {
		name, addr, ok := strings.Cut(p, "=")
		key := listKey(k, "store.peers", i)
		if !ok || name == "" {
			k.at(key, fmt.Sprintf("%q is no member", p), "write NAME=HOST:PORT, as in n1=10.0.0.1:2380")
			continue
		}
		if names[name] {
			k.at(key, fmt.Sprintf("%s is given twice", name), "")
		}
		names[name] = true
		self = self || name == k.Node.Name
		if !k.hostPort(key, addr, false) {
			continue
		}
		if other := addrs[addr]; other != "" && other != name {
			k.at(key, fmt.Sprintf("%s is also the address of %s", addr, other), "give each member its own")
		}
		addrs[addr] = name
		switch host, _, _ := net.SplitHostPort(addr); {
		case host == "" || net.ParseIP(host).IsUnspecified():
			k.at(key, fmt.Sprintf("%q names no host: the other members could not reach it", addr), "write the address that they reach it by")
		case Loopback(host):
			local++
		}
	}
	if local > 0 && local < len(addrs) {
		k.at("store.peers", "some addresses are of the loopback, which is another machine for each of the other members", "write the addresses that the members reach each other by")
	}
	if !self {
		k.at("store.peers", fmt.Sprintf("this node, %s, is not among them", k.Node.Name), "list every member, this one included, each under its node.name")
	}
}
