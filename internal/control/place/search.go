package place

import "math/rand/v2"

// best is the best server seen so far of a search.
type best struct {
	id     ID
	after  float64 // share with the session
	count  float64 // of sessions of the kind: settles equal shares
	equals int
}

// kind is the dimension that settles equal shares.
func (q *query) kind() int {
	if q.role == toPublish {
		return publishers
	}
	return sessions
}

// offer takes a server if it is better: the smaller share with the session, then
// the smaller count, then chance with equal chances.
func (b *best) offer(x *Index, q *query, id ID, cost *vec, rng *rand.Rand) {
	s := &x.servers[id]
	after, count := s.with(cost), s.total[q.kind()]
	switch {
	case b.id == None || after < b.after || after == b.after && count < b.count:
		*b = best{id, after, count, 1}
	case after == b.after && count == b.count:
		if b.equals++; rng.IntN(b.equals) == 0 {
			b.id = id
		}
	}
}

// least is the least loaded server with the session that fits. It walks the heaps breadth
// first, below no server that is without the session already worse than another with it.
func (x *Index) least(q *query, among []pool, rng *rand.Rand) best {
	b := best{id: None}
	var queue [4 * lookAt]int32
	for i := range among {
		p := &among[i]
		if len(p.heap) == 0 {
			continue
		}
		// Those that do not fit cost a look only if the first few do not: they are
		// full, so they are far down, or were tried and failed, so they are few.
		head, tail, looks := 0, 1, 0
		queue[0] = 0
		for head < tail && looks < lookAt {
			at := int(queue[head])
			head++
			e := p.heap[at]
			if b.id != None && e.key > b.after {
				continue
			}
			if x.fits(q, e.id) {
				b.offer(x, q, e.id, x.cost(q, e.id), rng)
				looks++
			}
			for c := 4*at + 1; c <= 4*at+4 && c < len(p.heap) && tail < len(queue); c++ {
				queue[tail] = int32(c)
				tail++
			}
		}
		if looks == 0 {
			for _, e := range p.heap {
				if x.fits(q, e.id) {
					b.offer(x, q, e.id, x.cost(q, e.id), rng)
				}
			}
		}
	}
	return b
}

// first is the first server by the policy's own key that fits.
func (x *Index) first(q *query, among []pool) ID {
	id, key := None, 0.0
	for i := range among {
		p := &among[i]
		if len(p.heap) > 0 && (id == None || p.heap[0].key < key) && x.fits(q, p.heap[0].id) {
			id, key = p.heap[0].id, p.heap[0].key
			continue
		}
		for _, e := range p.heap {
			if (id == None || e.key < key) && x.fits(q, e.id) {
				id, key = e.id, e.key
			}
		}
	}
	return id
}

// draw is a server at random that fits, other than not; None if there is none.
func (x *Index) draw(q *query, among []pool, not ID, rng *rand.Rand) ID {
	n := count(among)
	if n == 0 {
		return None
	}
	for range draws {
		if id := nth(among, rng.IntN(n)); id != not && x.fits(q, id) {
			return id
		}
	}
	found, seen := None, 0
	for i := range among {
		for _, e := range among[i].heap {
			if e.id != not && x.fits(q, e.id) {
				if seen++; rng.IntN(seen) == 0 {
					found = e.id
				}
			}
		}
	}
	return found
}

func count(among []pool) (n int) {
	for i := range among {
		n += len(among[i].heap)
	}
	return n
}

func nth(among []pool, n int) ID {
	for i := range among {
		if n < len(among[i].heap) {
			return among[i].heap[n].id
		}
		n -= len(among[i].heap)
	}
	return None
}

// member reports whether a server is in one of the pools.
func (x *Index) member(among []pool, id ID) bool {
	if len(among) == 1 {
		return id >= 0 && among[0].has(id)
	}
	for i := range among {
		if id >= 0 && among[i].has(id) {
			return true
		}
	}
	return false
}
