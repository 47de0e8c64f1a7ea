package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// client is whom a request is from.
type client struct {
	addr    netip.Addr // zero if it is not known
	secure  bool       // it came by https, to us or to a trusted peer
	trusted bool       // the peer may say whose request it is
	inside  bool       // the peer is a front of the cluster
}

// whose finds out the client of a request. A trusted peer's word counts, and of
// those it names the last that is not trusted itself (X-Forwarded-For grows to
// the right).
func (f *Front) whose(r *http.Request) client {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	c := client{addr: peer.Addr().Unmap(), secure: r.TLS != nil}
	if !f.o.trusts(c.addr) {
		return c
	}
	c.trusted, c.inside = true, f.o.isFront(c.addr)
	if p := r.Header.Get("X-Forwarded-Proto"); p != "" {
		c.secure = strings.EqualFold(p, "https")
	}
	named := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(named) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(named[i]))
		if err != nil {
			if ap, err2 := netip.ParseAddrPort(strings.TrimSpace(named[i])); err2 == nil {
				a, err = ap.Addr(), nil
			}
		}
		if err != nil {
			break
		}
		c.addr = a.Unmap()
		if !f.o.trusts(c.addr) {
			break
		}
	}
	return c
}

// forwarded tells the server whose request it is. What a trusted peer has said
// is kept, what anybody else has is replaced: servers believe it.
func (f *Front) forwarded(out http.Header, in *http.Request, c client) {
	host, proto := in.Host, "http"
	if in.TLS != nil {
		proto = "https"
	}
	var chain []string
	if c.trusted {
		chain = in.Header.Values("X-Forwarded-For")
		if v := in.Header.Get("X-Forwarded-Proto"); v != "" {
			proto = v
		}
		if v := in.Header.Get("X-Forwarded-Host"); v != "" {
			host = v
		}
		if v := in.Header.Values("Forwarded"); len(v) > 0 {
			out["Forwarded"] = v
		}
	} else {
		for name := range out {
			if name == "X-Real-Ip" || name == "Forwarded" || strings.HasPrefix(name, "X-Forwarded-") {
				delete(out, name)
			}
		}
	}
	if peer, err := netip.ParseAddrPort(in.RemoteAddr); err == nil {
		chain = append(chain[:len(chain):len(chain)], peer.Addr().Unmap().String())
	}
	if len(chain) > 0 {
		out.Set("X-Forwarded-For", strings.Join(chain, ", "))
	}
	out.Set("X-Forwarded-Proto", proto)
	out.Set("X-Forwarded-Host", host)
	version := "1.1"
	if in.ProtoMajor == 2 {
		version = "2.0"
	}
	out.Add("Via", version+" "+f.via)
}

// looped reports a request that has been here before.
func (f *Front) looped(r *http.Request) bool {
	for _, v := range r.Header.Values("Via") {
		for hop := range strings.SplitSeq(v, ",") {
			if _, by, ok := strings.Cut(strings.TrimSpace(hop), " "); ok && by == f.via {
				return true
			}
		}
	}
	return false
}
