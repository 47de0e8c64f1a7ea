package place

import "math/rand/v2"

// leastLoad gives a publisher to the origin whose dominant share is least with it.
//
// Wins: streams differ in bitrate and servers in size; what binds first is found
// by itself. With reservations one balancer stays within a tenth of a per cent of even.
//
// Loses: several balancers on reports of the same age would all take the same best
// server, which peaks at 1 + servers × age / session length. So with several, the better of two drawn
// at random: 1 + 2 × age / session length, at some tenths of a per cent of evenness.
//
// Among equals, fewest publishers, then chance: an idle fleet fills evenly too.
func (x *Index) leastLoad(q *query, among []pool, rng *rand.Rand) Decision {
	if x.deciders > 1 && count(among) > 2 {
		return x.twoChoices(q, among, rng)
	}
	return Decision{ID: x.least(q, among, rng).id, Why: LeastLoaded}
}
