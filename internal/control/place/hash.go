package place

import "weir/internal/stream"

// hash gives every viewer of a stream to the server that its name hashes to.
//
// Wins: the fewest pulls that there can be, and all balancers agree without a word.
//
// Loses: the server of the most popular stream: 8 to 83 times the mean.
func (x *Index) hash(q *query, among []pool) Decision {
	return x.probe(q, among, &walk{name: q.name, clockwise: true}, -1)
}

// probe takes the first server of a sequence that fits and has fewer sessions than bound; -1 is none.
// If nobody is below the bound, the first that fits.
func (x *Index) probe(q *query, among []pool, w *walk, bound float64) Decision {
	if x.ring == nil {
		x.makeRing()
	}
	w.on(x.ring)
	spare := None
	for i := w.next(); i >= 0; i = w.next() {
		id := x.ringIDs[i]
		if !x.member(among, id) || !x.fits(q, id) {
			continue
		}
		if bound < 0 || x.servers[id].total[sessions] < bound {
			return Decision{ID: id, Why: Hashed}
		}
		if spare == None {
			spare = id
		}
	}
	return Decision{ID: spare, Why: Hashed}
}

// makeRing is done at the first decision by hash after the set of servers has changed.
func (x *Index) makeRing() {
	names := make([]string, 0, len(x.ids))
	for name := range x.ids {
		names = append(names, name)
	}
	x.ring = NewRing(names)
	x.ringIDs = x.ringIDs[:0]
	for _, name := range x.ring.names {
		x.ringIDs = append(x.ringIDs, x.ids[name])
	}
}

// walk is the sequence of servers of a name on a ring.
type walk struct {
	name      stream.Name
	clockwise bool // to the next point, not by double hashing

	ring     *Ring
	at, step uint64
	point    int
	tries    int
	rest     int // then those that were missed
}

func (w *walk) on(r *Ring) {
	w.ring = r
	w.at = hash(hash(1, w.name.App), w.name.Stream)
	w.step = hash(hash(2, w.name.App), w.name.Stream) | 1 // odd: comes by every point before it repeats
	if len(r.points) > 0 {
		w.point = r.after(w.at)
	}
}

// next returns the number of the next server in the ring, some of them repeatedly, in the end all; then -1.
func (w *walk) next() int {
	n := len(w.ring.names)
	switch {
	case n == 0 || w.rest >= n:
		return -1
	case w.clockwise && w.tries < len(w.ring.points):
		w.tries++
		node := w.ring.points[w.point].node
		w.point = (w.point + 1) % len(w.ring.points)
		return int(node)
	case !w.clockwise && w.tries < 4*n: // misses a server once in some fifty times; those come below
		w.tries++
		node := w.ring.points[w.ring.after(w.at)].node
		w.at += w.step
		return int(node)
	}
	w.rest++
	return w.rest - 1
}
