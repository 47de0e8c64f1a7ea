package store

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// initialCluster turns name=host:port pairs into name=URL pairs.
func initialCluster(s string) (string, error) {
	var out []string
	for pair := range strings.SplitSeq(s, ",") {
		name, addr, ok := strings.Cut(strings.TrimSpace(pair), "=")
		u, err := endpointURL(addr, "")
		if !ok || name == "" || err != nil {
			return "", fmt.Errorf("store: embedded etcd: initial cluster: %q is not name=host:port", pair)
		}
		out = append(out, name+"="+u.String())
	}
	return strings.Join(out, ","), nil
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
