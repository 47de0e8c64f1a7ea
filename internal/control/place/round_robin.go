package place

// roundRobin takes the servers in turn; who is full loses his.
//
// Wins: even when all sessions are alike and as long, and it needs no loads.
//
// Loses: otherwise what is open drifts as far apart as at random; pulls as two_choices.
func (x *Index) roundRobin(q *query, among []pool) Decision {
	return Decision{ID: x.first(q, among), Why: ItsTurn}
}

// Took moves a decision's server in the queue, once: whoever only asks takes nobody's turn.
// [Index.Reserve] does so itself.
func (x *Index) Took(d *Decision) {
	if !d.turn {
		return
	}
	d.turn = false
	r, s := d.role, &x.servers[d.ID]
	switch x.policy[r] {
	case RoundRobin:
		x.turn[r]++
		s.turns[r] = x.turn[r]
	case Weighted:
		// A server that was full for a while does not get all of its lost turns at once.
		x.turn[r] = max(x.turn[r], s.turns[r])
		s.turns[r] = max(s.turns[r], x.turn[r]-1/s.c.Weight) + 1/s.c.Weight
	}
	if p := &x.pools[r][s.zone]; p.has(d.ID) {
		p.update(d.ID, s.turns[r])
	}
}
