package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/stream"
)

// checker adds what single values cannot show: what is impossible, missing or
// contradictory.
type checker struct {
	*Config
	d *decoder
}

func check(c *Config, d *decoder) {
	k := checker{c, d}
	k.backendRoles()
	k.node()
	k.listeners()
	k.http()
	k.admin()
	k.store()
	k.limits()
	k.apps()
	k.place()
	k.backends()
	k.front()
	k.proxyProtocol("rtmp.proxy_protocol", &k.RTMP.ProxyProtocol)
}

// at reports a problem of key where it was written, in the file or by a flag.
// A default cannot be wrong by itself, so an unwritten key stands without a
// place.
func (k checker) at(key, problem, hint string) {
	if k.d.unread[listOf(key)] {
		return
	}
	p, ok := k.d.places[key]
	if !ok {
		p = place{source: k.d.file}
	}
	if ok && p.line == 0 {
		key = "" // the flag says it
	}
	k.d.report(p, key, problem, hint)
}

func (k checker) written(key string) bool {
	_, ok := k.d.places[key]
	return ok
}

func (k checker) node() {
	if why := badLabel(k.Node.Name); why != "" {
		k.at("node.name", fmt.Sprintf("%q: %s", k.Node.Name, why), "use letters, digits, dots, dashes and underscores")
	}
	if len(k.Node.Roles) == 0 {
		k.at("node.roles", "no role: the node would do nothing", "give one or more of front, origin, edge")
	}
	for i, r := range k.Node.Roles {
		if slices.Contains(k.Node.Roles[:i], r) {
			k.at("node.roles", fmt.Sprintf("%s is given twice", r), "")
		}
	}
	if a := k.Node.Advertise; a != "" {
		if strings.Contains(a, "/") || strings.ContainsAny(a, " \t") {
			k.at("node.advertise", fmt.Sprintf("%q is no host name or address", a), "write only the host, as in media1.example.com")
		} else if _, _, err := net.SplitHostPort(a); err == nil {
			k.at("node.advertise", fmt.Sprintf("%q has a port", a), "write only the host: each listener's own port is added")
		}
	}
	if z := k.Node.Zone; z != "" {
		if why := badLabel(z); why != "" {
			k.at("node.zone", fmt.Sprintf("%q: %s", z, why), "use letters, digits, dots, dashes and underscores")
		}
	}
}

// badLabel says what keeps s from being a name in keys, labels and URLs.
func badLabel(s string) string {
	switch {
	case s == "":
		return "empty"
	case len(s) > 128:
		return "longer than 128 bytes"
	case s == "." || s == "..":
		return "a dotted path"
	}
	for _, r := range s {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
		if !ok {
			return fmt.Sprintf("holds %q", r)
		}
	}
	return ""
}

func (k checker) listeners() {
	type listener struct{ key, addr string }
	all := []listener{
		{"rtmp.listen", k.RTMP.Listen}, {"rtmp.tls.listen", k.RTMP.TLS.Listen},
		{"http.listen", k.HTTP.Listen}, {"http.tls.listen", k.HTTP.TLS.Listen}, {"admin.listen", k.Admin.Listen}, {"admin.agent", k.Admin.Agent},
		{"front.backends.srs.listen", k.Front.Backends.SRS.Listen},
	}
	if k.Store.Kind == StoreEmbedded {
		all = append(all, listener{"store.listen", k.Store.Listen})
	}
	if k.RTMP.Listen == "" {
		k.at("rtmp.listen", "empty: nobody could connect", "write HOST:PORT or :PORT, as in :1935")
	}
	for i, l := range all {
		if l.addr == "" {
			continue
		}
		if !k.hostPort(l.key, l.addr, true) {
			continue
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

// hostPort checks HOST:PORT and reports under key what is wrong.
func (k checker) hostPort(key, addr string, zero bool) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		hint := "write HOST:PORT or :PORT, as in :1935"
		if _, err := strconv.Atoi(addr); err == nil {
			hint = "write :" + addr
		} else if strings.Count(addr, ":") > 1 && !strings.Contains(addr, "[") {
			hint = "write an IPv6 address in brackets, as in [::1]:1935"
		}
		k.at(key, fmt.Sprintf("%q is no address to listen on", addr), hint)
		return false
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 || n == 0 && !zero {
		k.at(key, fmt.Sprintf("%q: the port must be a number from 1 to 65535", addr), "")
		return false
	}
	if strings.ContainsAny(host, "/ ") {
		k.at(key, fmt.Sprintf("%q is no address to listen on", addr), "write HOST:PORT without a scheme or path")
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

func (k checker) store() {
	if k.d.unread["store.kind"] {
		return // whatever follows depends on it
	}
	s := k.Store
	only := func(kind StoreKind, keys ...string) {
		for _, key := range keys {
			if s.Kind != kind && k.written(key) {
				k.at(key, fmt.Sprintf("has no effect while store.kind is %s", s.Kind), fmt.Sprintf("set store.kind: %s, or remove it", kind))
			}
		}
	}
	only(StoreEmbedded, "store.listen", "store.dir", "store.peers")
	only(StoreEtcd, "store.endpoints", "store.user", "store.password")
	switch s.Kind {
	case StoreMemory:
		if len(k.Node.Roles) > 0 && !k.Node.Has(RoleOrigin) && !(k.Front.Backends.Any() && k.Node.Has(RoleFront)) {
			k.at("node.roles", "without the role origin, a node needs a store that it shares with other nodes",
				"set store.kind to etcd or embedded, or add the role origin")
		}
		for _, key := range []string{"store.tls.ca", "store.tls.cert", "store.tls.key"} {
			if k.written(key) {
				k.at(key, "has no effect while store.kind is memory", "remove it")
			}
		}
	case StoreEtcd:
		if len(s.Endpoints) == 0 {
			k.at("store.endpoints", "missing: store.kind is etcd", "list etcd's client addresses, as in [10.0.0.1:2379, 10.0.0.2:2379, 10.0.0.3:2379]")
		}
		for i, e := range s.Endpoints {
			bare := strings.TrimPrefix(strings.TrimPrefix(e, "https://"), "http://")
			if k.hostPort(listKey(k, "store.endpoints", i), bare, false) && strings.HasPrefix(bare, ":") {
				k.at(listKey(k, "store.endpoints", i), fmt.Sprintf("%q names no host", e), "write HOST:PORT")
			}
		}
		if (s.User == "") != !s.Password.IsSet() {
			k.at(first(k, "store.user", "store.password"), "store.user and store.password belong together", "give both or neither")
		}
	case StoreEmbedded:
		if s.Listen == "" {
			k.at("store.listen", "empty: no other node could join", "write HOST:PORT, as in 10.0.0.1:2379")
		}
		if s.Dir == "" {
			k.at("store.dir", "empty", "name a directory that survives a restart")
		}
		k.peers()
	}
	if s.Secret.IsSet() && len(s.Secret.Reveal()) < 16 {
		k.at("store.secret", "shorter than 16 characters: it could be guessed", "make one with: openssl rand -hex 32")
	}
	if s.TLS.CA != "" {
		if pem, err := os.ReadFile(s.TLS.CA); err != nil {
			k.at("store.tls.ca", fmt.Sprintf("%s: %v", s.TLS.CA, bare(err)), "")
		} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			k.at("store.tls.ca", fmt.Sprintf("%s holds no PEM certificate", s.TLS.CA), "")
		}
	}
	if s.TLS.Cert != "" || s.TLS.Key != "" {
		k.keyPair("store.tls", s.TLS.Cert, s.TLS.Key, true)
	}
}

func (k checker) peers() {
	peers := k.Store.Peers
	if len(peers) == 0 {
		return
	}
	if len(peers)%2 == 0 {
		k.at("store.peers", fmt.Sprintf("%d members tolerate no more failures than %d", len(peers), len(peers)-1), "use 1, 3 or 5")
	}
	self := false
	seen := map[string]bool{}
	for i, p := range peers {
		name, addr, ok := strings.Cut(p, "=")
		key := listKey(k, "store.peers", i)
		if !ok || name == "" {
			k.at(key, fmt.Sprintf("%q is no member", p), "write NAME=HOST:PORT, as in n1=10.0.0.1:2380")
			continue
		}
		if seen[name] {
			k.at(key, fmt.Sprintf("%s is given twice", name), "")
		}
		seen[name] = true
		self = self || name == k.Node.Name
		k.hostPort(key, addr, false)
	}
	if !self {
		k.at("store.peers", fmt.Sprintf("this node, %s, is not among them", k.Node.Name), "list every member, this one included")
	}
}

// keyPair checks that a certificate and its key are there and belong together.
func (k checker) keyPair(section, cert, key string, needed bool) {
	missing := false
	for _, f := range []struct{ key, path, what string }{
		{section + ".cert", cert, "certificate"}, {section + ".key", key, "private key"},
	} {
		if f.path == "" {
			if needed {
				k.at(f.key, "missing: TLS needs a certificate and its private key", "name the PEM file")
			}
			missing = true
			continue
		}
		if fh, err := os.Open(f.path); err != nil {
			k.at(f.key, fmt.Sprintf("the %s %s cannot be read: %v", f.what, f.path, bare(err)), "")
			missing = true
		} else {
			fh.Close()
		}
	}
	if missing {
		return
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		k.at(section+".cert", fmt.Sprintf("%s and %s are no pair: %v", cert, key, err), "")
	}
}

func (k checker) apps() {
	k.span("play.wait", k.Play.Wait, 0, time.Hour)
	k.span("play.grace", k.Play.Grace, 0, time.Hour)
	k.span("play.max_latency", k.Play.MaxLatency, time.Millisecond, maxLatency)
	k.span("publish.grace", k.Publish.Grace, 0, time.Hour)
	for name, a := range k.Apps {
		if _, err := stream.NewName(name, "x"); err != nil {
			k.at("apps."+name, err.Error(), "")
		}
		for key, d := range map[string]*time.Duration{"play.wait": a.Play.Wait, "play.grace": a.Play.Grace, "publish.grace": a.Publish.Grace} {
			if d != nil {
				k.span("apps."+name+"."+key, *d, 0, time.Hour)
			}
		}
		if d := a.Play.MaxLatency; d != nil {
			k.span("apps."+name+".play.max_latency", *d, time.Millisecond, maxLatency)
		}
	}
}

// maxLatency is the most that play.max_latency can be. Why not larger: half of what a viewer may
// lag by default before frames are skipped.
const maxLatency = time.Second

func (k checker) span(key string, d, lo, hi time.Duration) {
	if d < lo || d > hi {
		k.at(key, fmt.Sprintf("%s is out of range", d), fmt.Sprintf("it can be %s to %s", lo, hi))
	}
}

// first returns the first of keys that was written, for problems of a pair.
func first(k checker, keys ...string) string {
	for _, key := range keys {
		if k.written(key) {
			return key
		}
	}
	return keys[0]
}

// listKey returns the key of one item if its place is known, else the list's.
func listKey(k checker, key string, i int) string {
	if item := fmt.Sprintf("%s[%d]", key, i); k.written(item) {
		return item
	}
	return key
}
