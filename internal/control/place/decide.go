package place

import (
	"math/rand/v2"
	"slices"
)

// Publisher places a publisher; false if nobody can take it.
func (x *Index) Publisher(req *PublishRequest, rng *rand.Rand) (Decision, bool) {
	var q query
	req.query(&q)
	if req.HasSticky {
		if d, ok := x.sticky(&q, req.Sticky); ok {
			return d, true
		}
	}
	return x.decide(&q, req.Zone, rng)
}

// Viewer places a viewer; false if nobody can take it. While no server's load is known,
// it goes by bounded hashing, whatever the policy.
func (x *Index) Viewer(req *ViewRequest, rng *rand.Rand) (Decision, bool) {
	var q query
	req.query(&q)
	if req.HasSticky {
		if d, ok := x.sticky(&q, req.Sticky); ok {
			d.Why = HadClient
			return d, true
		}
	}
	if len(q.only) > 0 {
		return x.among(&q, rng)
	}
	return x.decide(&q, req.Zone, rng)
}

// decide asks the zone first, then everybody.
func (x *Index) decide(q *query, zone string, rng *rand.Rand) (Decision, bool) {
	if zone != "" && len(x.zones) > 1 {
		if z := slices.Index(x.zones, zone); z >= 0 {
			d, ok := x.gated(q, z, z+1, rng)
			if ok && x.certain(d.ID, x.cost(q, d.ID)) <= zoneFull {
				return d, true
			}
		}
	}
	return x.gated(q, 0, len(x.zones), rng)
}

// gated passes servers over that had better not be asked, unless that is all of them.
func (x *Index) gated(q *query, from, to int, rng *rand.Rand) (Decision, bool) {
	q.gate = x.policy[q.role].gates()
	d, ok := x.by(q, from, to, rng)
	if !ok && q.gate {
		q.gate = false
		d, ok = x.by(q, from, to, rng)
	}
	return d, ok
}

// by decides by the policy among the zones from ≤ z < to.
func (x *Index) by(q *query, from, to int, rng *rand.Rand) (Decision, bool) {
	among := x.pools[q.role][from:to]
	var d Decision
	p := x.policy[q.role]
	switch {
	case q.role != toPublish && x.known == 0 && p == PullAware:
		d = x.hashBounded(q, among)
		d.Why = HashedBlind
	case p == LeastLoad:
		d = x.leastLoad(q, among, rng)
	case p == PullAware:
		d = x.pullAware(q, among, rng)
	case p == RoundRobin:
		d = x.roundRobin(q, among)
	case p == Weighted:
		d = x.weighted(q, among)
	case p == LeastConnections:
		d = x.leastConnections(q, among)
	case p == SourceHash:
		d = x.sourceHash(q, among)
	case p == Random:
		d = x.random(q, among, rng)
	case p == TwoChoices:
		d = x.twoChoices(q, among, rng)
	case p == Hash:
		d = x.hash(q, among)
	case p == HashBounded:
		d = x.hashBounded(q, among)
	}
	if d.ID == None {
		return Decision{}, false
	}
	s := &x.servers[d.ID]
	add := s.add(x.cost(q, d.ID))
	d.Node, d.Demand, d.Share = s.c.Name, add.load(), s.with(x.cost(q, d.ID))
	if p == RoundRobin || p == Weighted {
		d.turn, d.role = true, q.role
	}
	d.zone = -1
	if to-from < len(x.zones) {
		d.zone = int32(from)
	}
	return d, true
}

// cost is the demand at a server: more where the stream has to be pulled.
func (x *Index) cost(q *query, id ID) *vec {
	if q.role != toPublish && !contains(q.carriers, id) {
		return &q.pull
	}
	return &q.demand
}

// fits reports whether a server may take the session: it is of the kind, nobody has excluded it and it has room.
func (x *Index) fits(q *query, id ID) bool {
	s := &x.servers[id]
	return !(q.foreign && s.c.Realm == Nodes) && s.full(&q.demand) == "" && !(q.gate && s.gated(&q.demand) != "") && !contains(q.exclude, id)
}
