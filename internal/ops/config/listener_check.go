package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

func (k checker) listeners() {
	type listener struct{ key, addr string }
	all := []listener{
		{"rtmp.listen", k.RTMP.Listen}, {"rtmp.tls.listen", k.RTMP.TLS.Listen},
		{"http.listen", k.HTTP.Listen}, {"http.tls.listen", k.HTTP.TLS.Listen}, {"admin.listen", k.Admin.Listen}, {"admin.agent", k.Admin.Agent},
		{"front.backends.srs.listen", k.Front.Backends.SRS.Listen},
	}
	if k.Store.Kind == StoreEmbedded {
		all = append(all, listener{"store.listen", k.Store.Listen}, listener{"store.peers", k.PeersListen()})
	}
	if k.RTMP.Listen == "" {
		k.at("rtmp.listen", "empty: nobody could connect", "write HOST:PORT or :PORT, as in :1935")
	}
	for i, l := range all {
		if l.addr == "" {
			continue
		}
		if l.key != "store.peers" && !k.hostPort(l.key, l.addr, true) {
			continue // peers are checked by themselves
		}
		for _, other := range all[:i] {
			if other.addr != "" && sameSocket(l.addr, other.addr) {
				k.at(l.key, fmt.Sprintf("%s is also %s", l.addr, other.key), "give each listener its own port")
			}
		}
	}
	t := k.RTMP.TLS
	if t.Listen == "" && (t.Cert != "" || t.Key != "") {
		k.at(first(k, "rtmp.tls.cert", "rtmp.tls.key"), "a certificate without a listener", "add rtmp.tls.listen, as in :1936")
	}
	if t.Listen != "" && (t.Cert != "" || t.Key != "" || !k.HTTP.HasCertificates()) {
		k.keyPair("rtmp.tls", t.Cert, t.Key, true)
	}
}

// hostPort checks HOST:PORT and reports under key what is wrong. zero: it is listened on, so it may
// lack a host, and the port may be any.
func (k checker) hostPort(key, addr string, zero bool) bool {
	host, port, err := net.SplitHostPort(addr)
	what := "address"
	if zero {
		what = "address to listen on"
	}
	if err != nil {
		hint := "write HOST:PORT"
		if zero {
			hint = "write HOST:PORT or :PORT, as in :1935"
		}
		if _, err := strconv.Atoi(addr); err == nil && zero {
			hint = "write :" + addr
		} else if strings.Count(addr, ":") > 1 && !strings.Contains(addr, "[") {
			hint = "write an IPv6 address in brackets, as in [::1]:1935"
		}
		k.at(key, fmt.Sprintf("%q is no %s", addr, what), hint)
		return false
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 || n == 0 && !zero {
		k.at(key, fmt.Sprintf("%q: the port must be a number from 1 to 65535", addr), "")
		return false
	}
	if strings.ContainsAny(host, "/ ") {
		k.at(key, fmt.Sprintf("%q is no %s", addr, what), "write HOST:PORT without a scheme or path")
		return false
	}
	return true
}

// sameSocket reports whether two addresses cannot both be listened on. Port 0 is
// a free port each time.
func sameSocket(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	wild := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return hostA == hostB || wild(hostA) || wild(hostB)
}

func (k checker) admin() {
	if k.Admin.Listen == "" || k.Admin.Token.IsSet() {
		return
	}
	host, _, err := net.SplitHostPort(k.Admin.Listen)
	if err != nil || Loopback(host) {
		return
	}
	k.at("admin.listen", fmt.Sprintf("%s can be reached from other machines, and no token guards it", k.Admin.Listen),
		"set admin.token, or listen on 127.0.0.1")
}

// Loopback reports whether host, a name or an address without a port, is this
// machine only.
func Loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
