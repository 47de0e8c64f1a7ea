package place

import "math/rand/v2"

// among takes the least loaded of the few servers that have a stream which nobody else can get.
//
// Wins: there is nothing to win; foreign servers keep what was published to them to themselves.
//
// Loses: a stream that outgrows its server outgrows it.
func (x *Index) among(q *query, rng *rand.Rand) (Decision, bool) {
	b := best{id: None}
	for _, id := range q.only {
		if x.member(x.pools[q.role], id) && x.fits(q, id) {
			b.offer(x, q, id, &q.demand, rng)
		}
	}
	if b.id == None {
		return Decision{}, false
	}
	s := &x.servers[b.id]
	add := s.add(&q.demand)
	return Decision{ID: b.id, Node: s.c.Name, Why: HasStream, Share: b.after, Demand: add.load(), zone: -1}, true
}
