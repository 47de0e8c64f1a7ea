package place

import "math/rand/v2"

// twoChoices takes the less loaded of two servers drawn at random.
//
// Wins: the busiest is ln ln n / ln 2 sessions above the mean, whatever the number of
// sessions; and it is hardly worse on old reports, since nobody is everybody's best.
//
// Loses: does not look at where a stream is: 13 to 43 times the fewest pulls.
func (x *Index) twoChoices(q *query, among []pool, rng *rand.Rand) Decision {
	a := x.draw(q, among, None, rng)
	if a == None {
		return Decision{ID: None}
	}
	d := Decision{ID: a, Why: BestOfTwo, drawn: [2]ID{a, a}}
	if c := x.draw(q, among, a, rng); c != None {
		d.drawn[1] = c
		b := best{id: None}
		b.offer(x, q, a, x.cost(q, a), rng)
		b.offer(x, q, c, x.cost(q, c), rng)
		d.ID = b.id
	}
	return d
}
