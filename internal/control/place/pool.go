package place

// role is what a session wants of a server.
type role int

const (
	toPublish     role = iota
	toView             // what nodes have or pull from each other
	toViewShared       // what foreign servers have that pull from each other
	toViewForeign      // whatever any foreign server has
	roles              // how many
)

// viewing is the role of a viewer's request.
func (r Realm) viewing() role {
	switch r {
	case Shared:
		return toViewShared
	case Foreign:
		return toViewForeign
	}
	return toView
}

// pool is the eligible servers of one role and zone: a heap of four children a node, which
// has half the depth of a binary one and each family in one cache line.
type pool struct {
	heap     []entry // heap[i].key ≤ heap[4i+1 … 4i+4].key
	pos      []int32 // by ID: where in heap; -1 if not in it
	sum      float64 // Σ share
	sessions float64 // Σ sessions, for bounded hashing
	changes  int     // since sum was summed anew
}

type entry struct {
	key float64 // by policy
	id  ID
}

func (p *pool) has(id ID) bool { return int(id) < len(p.pos) && p.pos[id] >= 0 }

func (p *pool) insert(id ID, key float64) {
	for int(id) >= len(p.pos) {
		p.pos = append(p.pos, -1)
	}
	p.heap = append(p.heap, entry{key, id})
	p.pos[id] = int32(len(p.heap) - 1)
	p.up(len(p.heap) - 1)
}

func (p *pool) remove(id ID) {
	i, last := int(p.pos[id]), len(p.heap)-1
	p.pos[id] = -1
	moved := p.heap[last]
	p.heap = p.heap[:last]
	if i == last {
		return
	}
	p.heap[i] = moved
	p.pos[moved.id] = int32(i)
	p.up(i)
	p.down(int(p.pos[moved.id]))
}

func (p *pool) update(id ID, key float64) {
	i := int(p.pos[id])
	old := p.heap[i].key
	p.heap[i].key = key
	switch {
	case key < old:
		p.up(i)
	case key > old:
		p.down(i)
	}
}

func (p *pool) up(i int) {
	e := p.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if p.heap[parent].key <= e.key {
			break
		}
		p.heap[i] = p.heap[parent]
		p.pos[p.heap[i].id] = int32(i)
		i = parent
	}
	p.heap[i] = e
	p.pos[e.id] = int32(i)
}

func (p *pool) down(i int) {
	e := p.heap[i]
	for {
		first := 4*i + 1
		if first >= len(p.heap) {
			break
		}
		child := first
		for c := first + 1; c < min(first+4, len(p.heap)); c++ {
			if p.heap[c].key < p.heap[child].key {
				child = c
			}
		}
		if p.heap[child].key >= e.key {
			break
		}
		p.heap[i] = p.heap[child]
		p.pos[p.heap[i].id] = int32(i)
		i = child
	}
	p.heap[i] = e
	p.pos[e.id] = int32(i)
}
