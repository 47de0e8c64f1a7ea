package place

// weighted takes the servers in turn, in proportion to their weights: each waits 1/weight of
// a round after it was taken. Of 5:1:1 the first gets five of every seven.
//
// Wins: sizes are known and loads are not: other people's servers without statistics.
//
// Loses: streams differ; a weight is right on the day when it is written.
func (x *Index) weighted(q *query, among []pool) Decision {
	id := x.first(q, among)
	if id != None {
		s := &x.servers[id]
		// A server that was full for a while does not get all of its lost turns at once.
		x.turn[q.role] = max(x.turn[q.role], s.turns[q.role])
		x.takeTurn(q.role, id, max(s.turns[q.role], x.turn[q.role]-1/s.c.Weight)+1/s.c.Weight)
	}
	return Decision{ID: id, Why: ItsTurn}
}
