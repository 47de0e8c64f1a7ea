package place

import "weir/internal/stream"

// sourceHash gives all publishers of one client address to one server.
//
// Wins: an encoder that publishes several renditions has them side by side; nothing to remember.
//
// Loses: a studio behind one address is one server's. For a preference that ends see
// [Sticky].
func (x *Index) sourceHash(q *query, among []pool) Decision {
	d := x.probe(q, among, &walk{name: stream.Name{App: "source", Stream: q.source}, clockwise: true}, -1)
	d.Why = HashedSource
	return d
}
