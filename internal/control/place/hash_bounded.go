package place

import "math"

// hashBounded gives a viewer to the server that the stream's name hashes to, and from
// one that is above (1+ε) of the mean on to the next of the stream's own sequence.
//
// Wins: knows only the list of servers and how many sessions this balancer has sent to each, and
// still all balancers agree where a stream is, within the bound ⌈(1+ε)·m/n⌉.
//
// Loses: about twice the fewest possible pulls, since a stream that overflowed stays spread;
// counts sessions, whatever their bitrates; and bounds only this balancer's own.
//
// Probing goes by double hashing, a new point of the ring each time. Walking on to
// the next clockwise instead passes each overload on to one neighbour, in cascades: some
// three times the pulls.
func (x *Index) hashBounded(q *query, among []pool) Decision {
	n, total := 0, 1.0 // with this session
	for i := range among {
		n += len(among[i].heap)
		total += among[i].sessions
	}
	if n == 0 {
		return Decision{ID: None}
	}
	return x.probe(q, among, &walk{name: q.name}, math.Ceil((1+Epsilon)*total/float64(n)))
}
