package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// discovery checks where a front learns of backends.
func (k checker) discovery(at string, b *Backends) {
	for i, d := range b.DNS {
		key := fmt.Sprintf("%s.dns[%d]", at, i)
		k.dns(key, d)
		if d.Name != "" && slices.ContainsFunc(b.DNS[:i], func(o DNSBackends) bool { return o.Name == d.Name && cmp.Or(o.Type, DNSA) == cmp.Or(d.Type, DNSA) }) {
			k.at(key+".name", fmt.Sprintf("%s is given twice", d.Name), "each list would take the other's servers away")
		}
	}
	for i, f := range b.File {
		key := listKey(k, at+".file", i)
		switch {
		case f == "":
			k.at(key, "empty", "name a file")
		case slices.Contains(b.File[:i], f):
			k.at(key, fmt.Sprintf("%s is given twice", f), "")
		}
	}
	for i, h := range b.HTTP {
		key := fmt.Sprintf("%s.http[%d]", at, i)
		k.polled(key, h)
		path, _, _ := strings.Cut(h.URL, "?")
		if h.URL != "" && slices.ContainsFunc(b.HTTP[:i], func(o HTTPBackends) bool { other, _, _ := strings.Cut(o.URL, "?"); return other == path }) {
			k.at(key+".url", path+" is given twice", "each list would take the other's servers away")
		}
	}
	k.registration(at+".srs", b.SRS)
}

func (k checker) dns(at string, d DNSBackends) {
	if d.Name == "" && k.missing(at, "name") {
		k.at(at, "no name to resolve", "give name: HOST")
	} else if len(d.Name) > 253 || strings.ContainsAny(d.Name, "/: \t@") || net.ParseIP(d.Name) != nil {
		k.at(at+".name", fmt.Sprintf("%q is no name to resolve", d.Name), "write a domain name; addresses belong into servers")
	}
	switch {
	case d.Type == DNSSRV && d.Port != 0:
		k.at(at+".port", "has no effect: SRV records have the port", "remove it")
	case d.Type != DNSSRV && d.Port == 0 && k.missing(at, "port", "type"):
		k.at(at, "no port", "give port: 1935, or type: SRV")
	case d.Port < 0 || d.Port > 65535:
		k.at(at+".port", "the port must be a number from 1 to 65535", "")
	}
	if d.HTTPPort < 0 || d.HTTPPort > 65535 {
		k.at(at+".http_port", "the port must be a number from 1 to 65535", "")
	}
	if d.Resolver != "" {
		k.dialable(at+".resolver", d.Resolver, "53")
	}
	k.common(at, d.BackendSettings)
}

func (k checker) polled(at string, h HTTPBackends) {
	if h.URL == "" {
		if k.missing(at, "url") {
			k.at(at, "no URL", "give url: http://HOST:PORT/PATH")
		}
	} else if k.url(at+".url", h.URL) && strings.Contains(h.URL, "@") {
		k.at(at+".url", "a password in a URL ends up in logs", "use token")
	}
	if h.Interval != 0 {
		k.span(at+".interval", h.Interval, 500*time.Millisecond, time.Hour)
	}
	k.common(at, h.BackendSettings)
}

func (k checker) registration(at string, s SRSBackends) {
	if s.Listen == "" {
		if k.written(at) && !k.unreadBelow(at) {
			k.at(at, "no address to register at", "give listen: :12025")
		}
		return
	}
	host, _, err := net.SplitHostPort(s.Listen)
	if err == nil && !Loopback(host) && !s.Token.IsSet() && len(s.Trust) == 0 {
		k.at(at+".listen", fmt.Sprintf("anybody could register a server at %s and be sent streams", s.Listen),
			"set token, or trust: the networks of the servers, or listen on 127.0.0.1")
	}
	for i, t := range s.Trust {
		if _, err := netip.ParsePrefix(t); err != nil {
			if _, err := netip.ParseAddr(t); err != nil {
				k.at(listKey(k, at+".trust", i), fmt.Sprintf("%q is no network", t), "write 10.0.0.0/8 or one address")
			}
		}
	}
	if s.Expire != 0 {
		k.span(at+".expire", s.Expire, time.Second, time.Hour)
	}
	k.common(at, s.BackendSettings)
}
