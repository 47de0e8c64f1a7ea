package config

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"slices"
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
	if k.d.unread[key] || k.d.unread[listOf(key)] {
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

// missing reports whether a section lacks all of keys, as far as can be known: none of them is there in
// a form that could not be read, nor by another name.
func (k checker) missing(at string, keys ...string) bool {
	return !slices.ContainsFunc(append(keys, unknownKey), func(key string) bool { return k.d.unread[at+"."+key] })
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
	k.nodePublic()
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
