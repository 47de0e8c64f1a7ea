package node

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/front/web"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// newWeb makes the handler of the HTTP listeners: this node's own streams, and with the
// role front all that servers behind it have.
func (n *node) newWeb() *web.Front {
	h, f := &n.cfg.HTTP, &n.cfg.Front.HTTP
	o := web.Options{
		Node: n.cfg.Node.Name, Local: n.whileUp(n.play.HTTP()), Here: n.here, Dial: n.world.Dial, Emit: n.emit,
		Trusted: h.Forwarded.Trusted(), Fronts: n.isOtherNode, Admit: n.sessions.Admit, Number: n.sessions.Number, Ready: n.ready,
		Health: h.Health, Redirect: h.RedirectHTTPS.Status(), TLSPort: n.tlsPort(),
		Prefixes: f.Apps(), Publish: f.Publish, Plain: f.Plain, Body: int64(f.Body),
		Connect: f.Connect, Answer: f.Answer, Silence: f.Silence, Tunnel: f.Tunnel, Gather: n.cfg.Front.SpliceLatency, Stall: n.cfg.Limits.WriteStall,
		Cookie: web.Cookie{Name: f.Cookie.Name, NoCache: f.Cookie.NoCache, MaxAge: f.Cookie.MaxAge},
	}
	if f.Cookie.Mode != config.CookieOff {
		o.Cookie.Mode = web.CookieMode(f.Cookie.Mode)
	}
	if n.cfg.Node.Has(config.RoleFront) {
		o.Servers = webServers{n}
	}
	return web.New(o)
}

// webListening is what the HTTP listeners add to their sockets. An open request counts
// among the connections of its address, and one too many is answered; connections that only
// wait for another request are bounded here, by twice as many.
func (n *node) webListening() web.ListenOptions {
	bringOthers := n.cfg.HTTP.Forwarded.Trusted()
	return web.ListenOptions{
		Announced: n.cfg.HTTP.ProxyProtocol.Trusted(), PerAddr: 2 * n.cfg.Limits.ConnectionsPerAddr, Emit: n.emit,
		Exempt: func(a netip.Addr) bool { return n.isNode(a) || bringOthers != nil && bringOthers(a) },
	}
}

// tlsPort is where clients reach the https listener.
func (n *node) tlsPort() int {
	if p := n.cfg.HTTP.TLS.Port; p != 0 {
		return p
	}
	_, port := hostPortOf(n.listeners.https)
	return port
}

// isOtherNode reports the address of another machine of the cluster. This machine's own
// say nothing: everything here has them.
func (n *node) isOtherNode(a netip.Addr) bool { return !a.IsLoopback() && n.isNode(a) }

// serves reports whether this node has viewers of its own.
func (n *node) serves() bool {
	return n.cfg.Node.Has(config.RoleEdge) || n.cfg.Node.Has(config.RoleOrigin)
}

// here reports whether a request is for this node itself: HTTP-FLV of a stream that no
// foreign server has.
func (n *node) here(path string) bool {
	path, ok := strings.CutSuffix(strings.TrimPrefix(path, "/"), ".flv")
	if !ok || !n.serves() || n.draining() {
		return false
	}
	name, err := stream.ParseName(path)
	if err != nil {
		return true // the answer is play's
	}
	if rec, ok := n.cluster.Known(name); ok {
		return rec.Facts.Backend == ""
	}
	return len(n.cluster.Pulls(name)) > 0 || len(n.backends.Having(name)) == 0 && !n.backends.AnyHTTP()
}

// webServers is the fleet as package web sees it.
type webServers struct{ n *node }

// Choose implements web.Servers.
func (w webServers) Choose(r web.Request) (web.Server, error) {
	if r.Publish {
		return w.publisher(r)
	}
	at := w.locate(r.Names)
	if s, ok := w.kept(r, at); ok {
		return s, nil
	}
	q := fleet.Request{Source: r.Source, Never: append(slices.Clone(r.Exclude), w.n.cfg.Node.Name), HTTP: true}
	switch {
	case at.known:
		q.Name = at.name
	case r.Media && len(r.Names) > 0:
		q.Name = r.Names[0]
	}
	c, err := w.n.placer.f.Viewer(q)
	if err != nil {
		if !at.known && !r.Media && !w.n.backends.AnyHTTP() {
			return web.Server{}, web.ErrNotHere
		}
		return web.Server{}, w.unserved(at)
	}
	s := web.Server{Name: c.Node, Addr: c.HTTP, Node: !c.Foreign, Why: c.Why, Done: c.Done}
	if c.HTTP == "" || slices.Contains(r.Exclude, c.Node) || !c.Foreign && !r.Media {
		if c.Done != nil {
			c.Done(false)
		}
		if !c.Foreign && !r.Media {
			return web.Server{}, web.ErrNotHere // nodes serve streams and nothing else
		}
		return web.Server{}, web.ErrNoServer
	}
	return s, nil
}

// location is where a stream is known to be.
type location struct {
	name    stream.Name
	known   bool
	holders []string // foreign servers that have it; nil: nodes do
}

// unserved is why nobody serves a stream: nobody can now, or nobody could whatever came.
func (w webServers) unserved(at location) error {
	for _, name := range at.holders {
		b, ok := w.n.backends.Get(name)
		if !ok || b.HTTP != "" || b.Shared && w.n.backends.AnyHTTP() {
			return web.ErrNoServer
		}
	}
	if len(at.holders) == 0 {
		return web.ErrNoServer
	}
	return &web.NoHTTPError{Server: at.holders[0]}
}

// locate finds the first of names that anybody is known to have.
func (w webServers) locate(names []stream.Name) location {
	for _, name := range names {
		if rec, ok := w.n.cluster.Known(name); ok {
			l := location{name: name, known: true}
			if rec.Facts.Backend != "" {
				l.holders = []string{rec.Facts.Backend}
			}
			return l
		}
		if holders := w.n.backends.Having(name); len(holders) > 0 {
			return location{name: name, known: true, holders: holders}
		}
	}
	return location{}
}

// kept is the server that the client had, if it still takes those it had, and can
// have what is asked for.
func (w webServers) kept(r web.Request, at location) (web.Server, bool) {
	if r.Prefer == "" || slices.Contains(r.Exclude, r.Prefer) {
		return web.Server{}, false
	}
	if b, ok := w.n.backends.Get(r.Prefer); ok {
		switch state := b.State(); {
		case state != place.Up && state != place.Drain, b.HTTP == "", !b.Serves, at.known && at.holders == nil,
			at.known && !b.Shared && !slices.Contains(at.holders, b.Name):
			return web.Server{}, false
		}
		return web.Server{Name: b.Name, Addr: b.HTTP, Why: "the client had it before"}, true
	}
	if m, ok := w.n.cluster.Node(r.Prefer); ok && at.known && at.holders == nil && m.Name != w.n.cfg.Node.Name &&
		m.State == cluster.StateUp && m.Addresses.HTTP != "" {
		return web.Server{Name: m.Name, Addr: m.Addresses.HTTP, Node: true, Why: "the client had it before"}, true
	}
	return web.Server{}, false
}

// Open implements web.Servers.
func (w webServers) Open(name string) web.Entry {
	c := w.n.backends.Counters(name)
	return web.Entry{In: &c.In, Out: &c.Out, End: c.Open(false)}
}

func (w webServers) Failed(name string, err error) { w.n.backends.Failed(name, err) }
func (w webServers) Succeeded(name string)         { w.n.backends.Succeeded(name) }

// webHandler is what a listener serves: answers to an authority first, which come by name
// and plain.
func (n *node) webHandler(secure bool) http.Handler {
	if n.certs.acme != nil && !secure {
		return n.certs.acme.Challenge(n.web)
	}
	return n.web
}
