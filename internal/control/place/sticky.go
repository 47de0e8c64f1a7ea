package place

import "time"

// sticky prefers the server that had the stream a moment ago, since its viewers and their pulls
// are still there; or that had the client.
//
// Wins: a publisher that reconnects within the grace moves nobody.
//
// Loses: the server may be the most loaded by now; it is taken as long as it has room.
func (x *Index) sticky(q *query, id ID) (Decision, bool) {
	if !x.member(x.pools[q.role], id) || !x.fits(q, id) || len(q.only) > 0 && !contains(q.only, id) {
		return Decision{}, false
	}
	s := &x.servers[id]
	cost := x.cost(q, id)
	add := s.add(cost)
	return Decision{ID: id, Node: s.c.Name, Why: WasThere, Share: s.with(cost), Demand: add.load(), zone: -1}, true
}

// Sticky remembers for a while which server somebody had: a stream's name or a client's
// address. It forgets the oldest beyond its size. The zero value remembers nothing.
type Sticky struct {
	size  int
	nodes map[string]stuck
	queue []stuckKey // by time of Put, oldest first; those put again are in it twice
}

type stuck struct {
	node  string
	until time.Duration
	turn  uint64
}

type stuckKey struct {
	key  string
	turn uint64
}

// NewSticky returns a table of at most size entries.
func NewSticky(size int) *Sticky { return &Sticky{size: size, nodes: map[string]stuck{}} }

// Put remembers a server until a time.
func (t *Sticky) Put(key, node string, until time.Duration) {
	if t.size <= 0 {
		return
	}
	turn := t.nodes[key].turn + 1
	t.nodes[key] = stuck{node, until, turn}
	t.queue = append(t.queue, stuckKey{key, turn})
	for len(t.nodes) > t.size || len(t.queue) > 2*t.size {
		old := t.queue[0]
		t.queue = t.queue[1:]
		if t.nodes[old.key].turn == old.turn {
			delete(t.nodes, old.key)
		}
	}
}

// Get returns the server that a key had, unless its time is over.
func (t *Sticky) Get(key string, now time.Duration) (node string, ok bool) {
	s, ok := t.nodes[key]
	if !ok || now >= s.until {
		return "", false
	}
	return s.node, true
}

// Len counts what is remembered, the outdated included.
func (t *Sticky) Len() int { return len(t.nodes) }
