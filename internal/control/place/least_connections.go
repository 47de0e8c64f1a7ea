package place

// leastConnections takes the server with the fewest sessions for its weight, as HAProxy's leastconn.
//
// Wins: sessions are long and alike, and only this balancer sends them.
//
// Loses: a stream of 8 Mb/s counts as one of 0.5; several balancers each count their own; pulls as
// two_choices.
func (x *Index) leastConnections(q *query, among []pool) Decision {
	return Decision{ID: x.first(q, among), Why: FewestOpen}
}

// connections is the key of the heap.
func (x *Index) connections(id ID) float64 {
	s := &x.servers[id]
	return s.total[sessions] / s.c.Weight
}
