package place

import "time"

// Reservations are loads that were decided upon and are not in any report yet. A
// report that is a second old would otherwise send a whole herd to one server. It
// is a plain value: the caller locks it.
type Reservations struct {
	next uint64
	all  map[uint64]reservation
	sum  map[string]Load // by node: the sum of its reservations in all
}

type reservation struct {
	node    string
	load    Load
	expires time.Time
}

// Add reserves until expires, which the caller sets a report period and a dial's timeout ahead.
func (r *Reservations) Add(node string, load Load, expires time.Time) (id uint64) {
	if r.all == nil {
		r.all, r.sum = map[uint64]reservation{}, map[string]Load{}
	}
	r.next++
	r.all[r.next] = reservation{node, load, expires}
	r.sum[node] = r.sum[node].plus(load)
	return r.next
}

// Drop ends a reservation: the session failed, or a report shows it.
func (r *Reservations) Drop(id uint64) {
	res, ok := r.all[id]
	if !ok {
		return
	}
	delete(r.all, id)
	l := res.load
	rest := r.sum[res.node].plus(Load{-l.EgressBPS, -l.IngressBPS, -l.CPU, -l.Sessions, -l.Publishers, -l.Joins})
	if rest.Sessions <= 0 { // each has a session; the fractions' rounding goes with the last
		delete(r.sum, res.node)
		return
	}
	r.sum[res.node] = rest
}

// Expire drops what nobody confirmed. Call it before deciding.
func (r *Reservations) Expire(now time.Time) {
	for id, res := range r.all {
		if !now.Before(res.expires) {
			r.Drop(id)
		}
	}
}

// Of is what is reserved at a node. A nil table has nothing.
func (r *Reservations) Of(node string) Load {
	if r == nil {
		return Load{}
	}
	return r.sum[node]
}

// Len counts reservations.
func (r *Reservations) Len() int { return len(r.all) }
