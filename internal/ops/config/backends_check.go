package config

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/url"
	"strings"
	"time"
)

// backendRoles makes a node that has backends and is told no roles a front: what stands
// before other people's servers takes nothing itself.
func (k checker) backendRoles() {
	if k.Front.Backends.Any() && !k.written("node.roles") {
		k.Node.Roles = []Role{RoleFront}
	}
}

func (k checker) backends() {
	const at = "front.backends"
	b := &k.Front.Backends
	if k.written(at) && !b.Any() && !k.unreadBelow(at) {
		k.at(at, "names no server and nowhere to learn of any", "add servers, dns, file, http or srs")
	}
	if b.Any() && !k.Node.Has(RoleFront) {
		k.at(at, "has no effect without the role front", "add front to node.roles, or remove it")
	}
	k.common(at+".defaults", b.Defaults)
	k.servers(at+".servers", b.Servers, b.Defaults)
	for i, s := range b.Servers {
		k.own(fmt.Sprintf("%s.servers[%d]", at, i), s)
	}
	k.discovery(at, b)
}

// unreadBelow reports whether something below a key could not be read.
func (k checker) unreadBelow(key string) bool {
	for u := range k.d.unread {
		if strings.HasPrefix(u, key) {
			return true
		}
	}
	return false
}

// servers checks a list of servers with what applies to them.
func (k checker) servers(at string, list []Server, over ...BackendSettings) {
	if len(list) > MaxServers {
		k.at(at, fmt.Sprintf("%d servers: there can be %d", len(list), MaxServers), "")
	}
	names, public := make(map[string]int, len(list)), make(map[string]int)
	for i, s := range list {
		key := fmt.Sprintf("%s[%d]", at, i)
		if s.RTMP == "" && s.HTTP == "" && k.missing(key, "rtmp", "http") {
			k.at(key, "the server has no address", "give rtmp: HOST:PORT, or http: HOST:PORT")
		}
		if s.RTMP != "" {
			k.dialable(key+".rtmp", s.RTMP, "1935")
		}
		if s.HTTP != "" {
			k.dialable(key+".http", s.HTTP, "8080")
		}
		b := (&Backends{}).Backend(s, over...)
		if why := badBackend(b.Name); why != "" && (s.Name != "" || s.RTMP+s.HTTP != "") {
			k.at(k.either(key+".name", key), fmt.Sprintf("%q: %s", b.Name, why), "use letters, digits, dots, dashes, underscores and colons")
		}
		if first, twice := names[b.Name]; twice && b.Name != "" {
			k.at(k.either(key+".name", key), fmt.Sprintf("server %d has the name %s too", first+1, b.Name), "give each server its own name")
		} else {
			names[b.Name] = i
		}
		if b.Name == k.Node.Name && b.Name != "" {
			k.at(k.either(key+".name", key), fmt.Sprintf("%s is this node's own name", b.Name), "give the server another name")
		}
		k.settings(key, s.BackendSettings)
		if b.Public == "" {
			continue
		}
		at := k.either(key+".public", key)
		k.public(at, b.Public)
		if first, twice := public[b.Public]; twice && !b.Shared {
			k.at(at, fmt.Sprintf("clients reach server %d at %s too", first+1, b.Public), "they would get to either: give each server its own, or make them shared")
		} else {
			public[b.Public] = i
		}
	}
}

// own checks what can be said of a server in this file only: lists of others are
// not thrown away for one server of no use.
func (k checker) own(at string, s Server) {
	b := k.Front.Backends.Backend(s)
	for _, a := range []struct{ key, addr, listen string }{{".rtmp", s.RTMP, k.RTMP.Listen}, {".http", s.HTTP, k.HTTP.Listen}, {".public", b.Public, k.RTMP.Listen}} {
		if k.leadsHere(a.addr, a.listen) {
			k.at(k.either(at+a.key, at), fmt.Sprintf("%s is this node itself: it would send sessions round in a circle", a.addr), "give the server's own address")
		}
	}
	if k.unreadBelow(at) || k.unreadBelow("front.backends.defaults") {
		return // what there is to ask is not known
	}
	if b.Load.Kind == LoadNginx && b.Load.URL == "" && b.HTTP == "" && b.RTMP != "" {
		k.at(k.either(at+".load.kind", at), "nginx has nothing to ask: the server has neither load.url nor an HTTP address", "add one of them: nginx-rtmp has its statistics where its configuration says rtmp_stat")
	}
	if b.Check.Kind == CheckHTTP && b.Check.URL == "" && b.HTTP == "" && b.RTMP != "" {
		k.at(k.either(at+".check.kind", at), "http has nothing to ask: the server has neither check.url nor an HTTP address", "add one of them, or take rtmp")
	}
}

// leadsHere reports whether who connects to addr certainly gets to this node's own listener.
func (k checker) leadsHere(addr, listen string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" || !sameSocket(addr, listen) {
		return false
	}
	at, _, _ := net.SplitHostPort(listen)
	return host == at || host == k.Node.Advertise || Loopback(host)
}

// either is the first of two keys, if it was written.
func (k checker) either(key, other string) string {
	if k.written(key) {
		return key
	}
	return other
}

// badBackend says what keeps a text from being a backend's name; addresses can be names.
func badBackend(s string) string {
	return badLabel(strings.NewReplacer(":", "-", "[", "-", "]", "-").Replace(s))
}

// dialable checks an address to connect to.
func (k checker) dialable(key, addr, port string) {
	host, _, err := net.SplitHostPort(addr)
	switch {
	case err != nil && !strings.Contains(addr, ":") && addr != "":
		k.at(key, fmt.Sprintf("%q has no port", addr), fmt.Sprintf("write %s:%s", addr, port))
	case err == nil && host == "":
		k.at(key, fmt.Sprintf("%q names no host", addr), "write HOST:PORT")
	case err == nil && strings.ContainsAny(host, " \t\r\n@?#%\\"):
		k.at(key, fmt.Sprintf("%q is no address", addr), "write HOST:PORT")
	case strings.Contains(addr, "/"):
		k.at(key, fmt.Sprintf("%q is no address", addr), "write HOST:PORT without a scheme or path")
	case err != nil && strings.Count(addr, ":") > 1 && !strings.Contains(addr, "["):
		k.at(key, fmt.Sprintf("%q is no address", addr), "write an IPv6 address in brackets, as in [::1]:"+port)
	default:
		k.hostPort(key, addr, false)
	}
}

// settings checks what can be said of a backend anywhere.
func (k checker) settings(at string, s BackendSettings) {
	if s.Zone != nil && *s.Zone != "" {
		if why := badLabel(*s.Zone); why != "" {
			k.at(at+".zone", fmt.Sprintf("%q: %s", *s.Zone, why), "use letters, digits, dots, dashes and underscores")
		}
	}
	if s.Roles != nil && len(s.Roles) == 0 {
		k.at(at+".roles", "no role: the server would get nothing", "give publish, play or both")
	}
	if s.Weight != nil {
		k.weight(at+".weight", *s.Weight)
	}
	k.notNegative(at+".max_connections", value(s.MaxConnections))
	k.notNegative(at+".max_publishers", value(s.MaxPublishers))
	span := func(key string, d *time.Duration, lo, hi time.Duration) {
		if d != nil {
			k.span(at+key, *d, lo, hi)
		}
	}
	span(".check.interval", s.Check.Interval, 100*time.Millisecond, time.Hour)
	span(".check.jitter", s.Check.Jitter, 0, time.Hour)
	span(".check.timeout", s.Check.Timeout, 10*time.Millisecond, time.Minute)
	span(".load.interval", s.Load.Interval, 500*time.Millisecond, time.Hour)
	for key, n := range map[string]*int{".check.rise": s.Check.Rise, ".check.fall": s.Check.Fall} {
		if n != nil && (*n < 1 || *n > 100) {
			k.at(at+key, fmt.Sprintf("%d is out of range", *n), "it can be 1 to 100")
		}
	}
	if s.Check.URL != nil {
		k.url(at+".check.url", *s.Check.URL)
	}
	if s.Load.URL != nil {
		k.url(at+".load.url", *s.Load.URL)
	}
}

func (k checker) weight(key string, w float64) {
	if !(w > 0 && w <= maxWeight) || math.IsNaN(w) {
		k.at(key, fmt.Sprintf("%v is out of range", w), fmt.Sprintf("it can be above 0, to %d; to send nothing, drain the server", maxWeight))
	}
}

// maxWeight is HAProxy's.
const maxWeight = 256

func (k checker) notNegative(key string, n int) {
	if n < 0 {
		k.at(key, fmt.Sprintf("%d is below 0", n), "0 is no limit")
	}
}

// url checks a URL of HTTP, in which {host} and {name} may stand for a server's.
func (k checker) url(key, text string) bool {
	if !k.placeholders(key, text) {
		return false
	}
	u, err := url.Parse(ownOf("host", "name").Replace(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		k.at(key, "no URL of HTTP", "write http://HOST:PORT/PATH")
		return false
	}
	return true
}

// placeholders refuses a word in braces that is none of a server's, as {hots}.
func (k checker) placeholders(key, text string) bool {
	for rest := text; ; {
		_, from, ok := strings.Cut(rest, "{")
		word, after, closed := strings.Cut(from, "}")
		switch {
		case !ok || !closed:
			return true
		case word != "host" && word != "name" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") == "":
			hint := suggest(word, []string{"host", "name"})
			k.at(key, fmt.Sprintf("unknown placeholder {%s}", word), cmp.Or(hint, "{host} and {name} stand for the server's"))
			return false
		}
		rest = after
	}
}
