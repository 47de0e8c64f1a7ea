package place

import (
	"cmp"

	"weir/internal/stream"
)

// PublishRequest asks for an origin.
type PublishRequest struct {
	Name       stream.Name
	BitrateBPS float64 // predicted, bits per second; DefaultBitrateBPS if 0
	Source     string  // the client's address without port, for source_hash
	Zone       string  // preferred while it has room; "" for any
	Exclude    []ID    // tried and failed
	Foreign    bool    // nodes do not take such publishers
	Sticky     ID      // had the stream a moment ago, if HasSticky; preferred while it is eligible
	HasSticky  bool
}

// ViewRequest asks for an edge.
type ViewRequest struct {
	Name       stream.Name
	BitrateBPS float64 // bits per second; DefaultBitrateBPS if 0. Of variable streams the 95th percentile
	Zone       string
	Exclude    []ID
	Carriers   []ID // servers that have the stream: they pull it, or own it. In any order; None is ignored
	// Realm is where the stream is to be had; the zero value is from nodes.
	Realm Realm
	// Only: nobody else has the stream or can get it. Then the least loaded of these that has room.
	Only      []ID
	Sticky    ID // had the client a moment ago, if HasSticky; preferred while it is eligible
	HasSticky bool
}

// query is a request of either kind.
type query struct {
	role     role
	demand   vec
	pull     vec // demand at a server that has to pull the stream
	exclude  []ID
	carriers []ID
	only     []ID // nobody else; empty: whoever has the role
	name     stream.Name
	source   string
	foreign  bool // no node
	gate     bool // servers that are gated are passed over
}

// A publisher comes in once, and goes out in at least one pull.
func (r *PublishRequest) query(q *query) {
	b := cmp.Or(r.BitrateBPS, DefaultBitrateBPS)
	q.role = toPublish
	q.demand = vec{egress: b, ingress: b, sessions: 1, publishers: 1}
	q.pull = q.demand
	q.exclude, q.name, q.source, q.foreign = r.Exclude, r.Name, r.Source, r.Foreign
}

func (r *ViewRequest) query(q *query) {
	b := cmp.Or(r.BitrateBPS, DefaultBitrateBPS)
	q.role = r.Realm.viewing()
	q.demand = vec{egress: b, sessions: 1, joins: 1}
	q.pull = vec{egress: b, ingress: b, sessions: 1, joins: 1}
	if r.Realm == Foreign {
		q.pull = q.demand // it has the stream or never will
	}
	q.exclude, q.carriers, q.only, q.name = r.Exclude, r.Carriers, r.Only, r.Name
}

func contains(ids []ID, id ID) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}
