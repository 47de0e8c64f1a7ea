package place

import "math/rand/v2"

// pullAware gives a viewer to the least loaded server that has the stream and is not
// above (1+ε) of the mean; else to the least loaded of all, which will pull it.
//
// Wins: with many streams and a long tail. In simulation pulls stay within 3 % of
// the fewest possible, and the busiest server within 10 % of the mean; policies that do
// not look at where a stream is need 13 to 43 times the pulls.
//
// Loses: one stream that everybody watches is on every server anyhow, and there it is
// merely least loaded. When reports are old and balancers many, the carriers of a stream that
// has just become popular take its first rush; reservations blunt that, and so do the joins
// in flight, which bind before bandwidth does.
//
// The bound counts whole sessions up, as bounded loads do: who is not above it yet may take one
// more. Otherwise a small audience would be spread over all.
func (x *Index) pullAware(q *query, among []pool, rng *rand.Rand) Decision {
	n := float64(count(among))
	if n == 0 {
		return Decision{ID: None}
	}
	var sum float64
	for i := range among {
		sum += among[i].sum
	}
	// A carrier below the mean's bound as it is now is below it with the session too, and
	// most viewers need no more than this.
	b := x.carrier(q, among, (1+Epsilon)*sum/n, rng)
	if b.id != None {
		return Decision{ID: b.id, Why: HasStream, Mean: (sum + b.after - x.share[b.id]) / n}
	}
	any := x.least(q, among, rng)
	if any.id == None {
		return Decision{ID: None}
	}
	// The mean as it will be, wherever the session goes.
	mean := (sum + any.after - x.share[any.id]) / n
	if b = x.carrier(q, among, (1+Epsilon)*mean, rng); b.id != None {
		return Decision{ID: b.id, Why: HasStream, Mean: mean}
	}
	d := Decision{ID: any.id, Why: NewPull, Mean: mean}
	if contains(q.carriers, any.id) {
		d.Why = LeastLoaded
	}
	return d
}

// carrier is the least loaded server that has the stream and is not above a bound.
func (x *Index) carrier(q *query, among []pool, bound float64, rng *rand.Rand) best {
	b := best{id: None}
	for _, id := range q.carriers {
		if id < 0 || int(id) >= len(x.share) {
			continue
		}
		if s := x.share[id]; s > bound || b.id != None && s > b.after {
			continue
		}
		if x.member(among, id) && x.fits(q, id) {
			b.offer(x, q, id, &q.demand, rng)
		}
	}
	return b
}
