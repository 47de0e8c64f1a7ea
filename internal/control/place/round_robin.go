package place

// roundRobin takes the servers in turn; who is full loses his.
//
// Wins: even when all sessions are alike and as long, and it needs no loads.
//
// Loses: otherwise what is open drifts as far apart as at random; pulls as two_choices.
func (x *Index) roundRobin(q *query, among []pool) Decision {
	id := x.first(q, among)
	if id != None {
		x.turn[q.role]++
		x.takeTurn(q.role, id, x.turn[q.role])
	}
	return Decision{ID: id, Why: ItsTurn}
}

// takeTurn moves a server in the queue. It is why these policies change the Index in deciding.
func (x *Index) takeTurn(r role, id ID, turn float64) {
	s := &x.servers[id]
	s.turns[r] = turn
	x.pools[r][s.zone].update(id, turn)
}
