package store

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// member is one of the configured members of an embedded cluster.
type member struct {
	name string // of its node
	addr string // HOST:PORT, where the other members reach it
}

// url is how etcd's own records name its address.
func (m member) url() string { return "http://" + m.addr }

// members are all of a cluster, in the order in which they were configured.
type members []member

// parseMembers reads NAME=HOST:PORT each.
func parseMembers(pairs []string) (members, error) {
	var out members
	for _, pair := range pairs {
		name, addr, ok := strings.Cut(strings.TrimSpace(pair), "=")
		u, err := endpointURL(addr, "")
		if !ok || name == "" || err != nil {
			return nil, fmt.Errorf("store: embedded etcd: %q is not NAME=HOST:PORT", pair)
		}
		out = append(out, member{name, u.Host})
	}
	return out, nil
}

// named is the member of that name.
func (ms members) named(name string) (member, bool) {
	i := slices.IndexFunc(ms, func(m member) bool { return m.name == name })
	if i < 0 {
		return member{}, false
	}
	return ms[i], true
}

// at is the member that etcd's records name so.
func (ms members) at(peerURL string) (member, bool) {
	i := slices.IndexFunc(ms, func(m member) bool { return m.url() == peerURL })
	if i < 0 {
		return member{}, false
	}
	return ms[i], true
}

// pairs are NAME=HOST:PORT each, sorted: what members compare.
func (ms members) pairs() []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.name + "=" + m.addr
	}
	slices.Sort(out)
	return out
}

// initial are NAME=URL pairs, as etcd wants them.
func (ms members) initial() string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.name + "=" + m.url()
	}
	return strings.Join(out, ",")
}

func endpointURL(addr, def string) (url.URL, error) {
	if addr == "" {
		addr = def
	}
	addr = strings.TrimPrefix(addr, "http://")
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return url.URL{}, fmt.Errorf("store: embedded etcd: address %q is not host:port", addr)
	}
	switch host {
	case "":
		host = "0.0.0.0"
	case "localhost":
		host = "127.0.0.1" // etcd binds numbers only
	}
	return url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}

// loopback is how this process itself reaches a bound address.
func loopback(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
