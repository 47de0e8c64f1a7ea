package place

// weighted takes the servers in turn, in proportion to their weights: each waits 1/weight of
// a round after it was taken. Of 5:1:1 the first gets five of every seven.
//
// Wins: sizes are known and loads are not: other people's servers without statistics.
//
// Loses: streams differ; a weight is right on the day when it is written.
func (x *Index) weighted(q *query, among []pool) Decision {
	return Decision{ID: x.first(q, among), Why: ItsTurn}
}
