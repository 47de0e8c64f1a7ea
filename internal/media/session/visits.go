package session

import "math/bits"

// visits says in which rounds of its collector a connection is visited: in each, or, if
// all its streams have the patience, as rarely as still finds no more than visitWish. A read
// costs nearly the same whatever it finds. It is every second, fourth … round, so that the rare
// visits fall into the same rounds, and there is nothing to wake up for between them.
type visits struct {
	most  int // rounds from one visit to the next, at most; 0 is 1
	every int // as it is now: a power of two; 0 is 1
}

// due reports whether a round's visit is to be.
func (v *visits) due(round int) bool { return round&(max(v.every, 1)-1) == 0 }

// found notes what a visit has found.
func (v *visits) found(n int) {
	every := max(1, min(max(v.every, 1)*visitWish/max(n, 1), v.most))
	v.every = 1 << (bits.Len(uint(every)) - 1)
}

// patience is how many rounds what comes for the connection's streams may wait. Needs mu.
func (c *conn) patience() int {
	least := rarest * collectEvery
	for st := range c.streams.all() {
		least = min(least, st.patience)
	}
	return int(least / collectEvery)
}
