package place

import "math/rand/v2"

// random takes any server that has room.
//
// Wins: knows nothing and needs nothing; never herds.
//
// Loses: the busiest is √(2·m/n·ln n) sessions above the mean m/n; sizes of servers and bitrates count for
// nothing; pulls as two_choices.
func (x *Index) random(q *query, among []pool, rng *rand.Rand) Decision {
	id := x.draw(q, among, None, rng)
	return Decision{ID: id, Why: Drawn, drawn: [2]ID{id, id}}
}
