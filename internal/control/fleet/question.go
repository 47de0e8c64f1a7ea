package fleet

import (
	"cmp"
	"net/netip"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// question is a request in names.
type question struct {
	name    stream.Name
	source  netip.Addr
	publish bool
	http    bool
	foreign bool // of a publisher's: no node
	exclude []string
	never   []string
	zone    string
	again   bool    // nobody else fits: those of exclude may be chosen
	bitrate float64 // bits per second, 0 if not known

	// Of a viewer's:
	carriers []string // nodes that own or pull the stream
	holders  []string // foreign servers that have it
	unknown  bool     // nobody is known to have it
	// realm in which the stream is looked for; decided in place.
	realm place.Realm

	preferred string // server to go back to; of a publisher's
}

// view asks where a stream is. The registry is right as long as it knows the stream; else those are believed who were
// seen to have it.
func (f *Fleet) view(r Request) *question {
	q := &question{name: r.Name, source: r.Source, http: r.HTTP, exclude: r.Exclude, never: r.Never, zone: r.Zone}
	rec, ok := f.members.Known(r.Name)
	switch {
	case ok && rec.Facts.Backend != "":
		q.holders, q.bitrate = []string{rec.Facts.Backend}, rec.Facts.BitrateBPS
	case ok:
		q.carriers, q.bitrate = append(f.members.Pulls(r.Name), rec.Owner), rec.Facts.BitrateBPS
	default:
		q.carriers = f.members.Pulls(r.Name)
		if q.holders = f.backends.Having(r.Name); len(q.holders) == 0 {
			q.unknown = true
		}
	}
	return q
}

// publish asks where a publisher was.
func (f *Fleet) publish(r Request) *question {
	q := &question{name: r.Name, source: r.Source, http: r.HTTP, exclude: r.Exclude, never: r.Never, zone: r.Zone, publish: true, foreign: r.Foreign}
	if rec, ok := f.members.Known(r.Name); ok && f.o.Sticky > 0 {
		q.bitrate = rec.Facts.BitrateBPS
		if q.preferred = rec.Facts.Backend; q.preferred == "" {
			q.preferred = rec.Owner
		}
	}
	return q
}

// publishRequest needs f.mu.
func (f *Fleet) publishRequest(q *question, now time.Duration) *place.PublishRequest {
	r := &place.PublishRequest{Name: q.name, BitrateBPS: f.predict(q), Zone: cmp.Or(q.zone, f.o.Zone), Exclude: f.out(q), Foreign: q.foreign}
	if q.source.IsValid() {
		r.Source = q.source.String()
	}
	if node, ok := f.sticky.Get(q.name.String(), now); ok {
		r.Sticky, r.HasSticky = f.index.Lookup(node)
	} else if m := f.known[q.preferred]; m != nil && m.fresh(now) {
		r.Sticky, r.HasSticky = m.id, true
	} else {
		r.Sticky, r.HasSticky = f.stuck(q, now)
	}
	return r
}

// viewRequest needs f.mu.
func (f *Fleet) viewRequest(q *question, now time.Duration) *place.ViewRequest {
	r := &place.ViewRequest{Name: q.name, BitrateBPS: q.bitrate, Zone: cmp.Or(q.zone, f.o.Zone), Exclude: f.out(q), Realm: q.realm}
	r.Sticky, r.HasSticky = f.stuck(q, now)
	switch {
	case q.realm == place.Nodes:
		r.Carriers = append(f.lookup(q.carriers), f.recent.of(q.name)...)
	case q.realm == place.Shared:
		r.Carriers = append(f.lookup(q.holders), f.recent.of(q.name)...)
	case len(q.holders) > 0:
		if r.Only = f.lookup(q.holders); len(r.Only) == 0 {
			r.Only = []place.ID{place.None} // it is where this node knows nobody, so nowhere else
		}
	}
	return r
}

// stuck is the server that a client address had. It needs f.mu.
func (f *Fleet) stuck(q *question, now time.Duration) (place.ID, bool) {
	if f.o.SourceSticky <= 0 || !q.source.IsValid() {
		return place.None, false
	}
	if node, ok := f.sources.Get(sourceKey(q), now); ok {
		return f.index.Lookup(node)
	}
	return place.None, false
}

// sourceKey is what a client is known by: its address, of IPv6 the network, since
// hosts change the rest at will.
func sourceKey(q *question) string {
	a := q.source.Unmap()
	if a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		a = p.Addr()
	}
	if q.publish {
		return "p" + a.String()
	}
	return "v" + a.String()
}

// shares reports whether a foreign server can pull from others. It needs f.mu.
func (f *Fleet) shares(name string) bool {
	m := f.known[name]
	return m != nil && m.c.Realm == place.Shared
}

// out are the servers that a request cannot go to, whatever they feel. It needs f.mu.
func (f *Fleet) out(q *question) []place.ID {
	deaf := f.deaf[0]
	if q.http {
		deaf = f.deaf[1]
	}
	ids := append(f.lookup(q.never), deaf...)
	if !q.again {
		ids = append(ids, f.lookup(q.exclude)...)
	}
	return ids
}

// lookup translates names; those that are not members have no say.
func (f *Fleet) lookup(names []string) []place.ID {
	ids := make([]place.ID, 0, len(names)+1)
	for _, n := range names {
		if id, ok := f.index.Lookup(n); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
