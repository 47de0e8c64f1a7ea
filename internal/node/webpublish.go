package node

import (
	"slices"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/front/web"
	"weir/internal/stream"
)

// reportedWithin is how long a publisher by HTTP counts as one that is on its way. Why not shorter: a server is asked for
// its load every 5 s. Why not longer: then it is there twice.
const reportedWithin = 6 * time.Second

// publisher chooses who takes a stream that comes by HTTP: the server that has its session or, when it
// begins, the one that has the stream, that the client had before, or that placement chooses. Nodes
// take none.
func (w webServers) publisher(r web.Request) (web.Server, error) {
	if r.Session != "" {
		return w.session(r)
	}
	if !w.n.backends.AnyHTTPPublisher() {
		return web.Server{}, web.ErrNotHere
	}
	var name stream.Name
	if len(r.Names) > 0 {
		name = r.Names[0]
		for _, holder := range w.locate(r.Names[:1]).holders {
			if s, ok := w.takes(holder, r); ok {
				s.Why = "it has the stream"
				return s, nil
			}
		}
	}
	if s, ok := w.takes(r.Prefer, r); ok {
		s.Why = "the client had it before"
		return s, nil
	}
	c, err := w.n.placer.f.Publisher(fleet.Request{Name: name, Source: r.Source, Never: r.Exclude, HTTP: true, Foreign: true})
	if err != nil {
		return web.Server{}, web.ErrNoServer
	}
	return web.Server{Name: c.Node, Addr: c.HTTP, Why: c.Why, Done: func(ok bool) {
		if !ok {
			c.Done(false)
			return
		}
		// Its media goes past this front, whose counters never show it.
		time.AfterFunc(reportedWithin, func() { c.Done(true) })
		if name != (stream.Name{}) {
			w.n.placer.f.Left(name, c.Node)
		}
	}}, nil
}

// session is the server that a session's URL names.
func (w webServers) session(r web.Request) (web.Server, error) {
	b, ok := w.n.backends.Get(r.Session)
	if !ok || b.HTTP == "" || !b.Publishes {
		return web.Server{}, web.ErrNotHere
	}
	if state := b.State(); slices.Contains(r.Exclude, b.Name) || state != place.Up && state != place.Drain {
		return web.Server{}, web.ErrNoServer
	}
	return web.Server{Name: b.Name, Addr: b.HTTP, Why: "it has the session"}, nil
}

// takes is a backend if it takes publishers by HTTP now.
func (w webServers) takes(name string, r web.Request) (web.Server, bool) {
	b, ok := w.n.backends.Get(name)
	if !ok || b.HTTP == "" || !b.Publishes || b.State() != place.Up || slices.Contains(r.Exclude, name) {
		return web.Server{}, false
	}
	return web.Server{Name: b.Name, Addr: b.HTTP}, true
}
