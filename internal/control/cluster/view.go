package cluster

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"weir/internal/stream"
)

// view is the store's content as watched. One goroutine writes it.
type view struct {
	now    func() time.Time
	synced chan struct{} // closed when the first list is in

	incarnation uint64 // under which it was made; the watcher's own

	mu      sync.RWMutex
	rev     int64 // of the last change that is in
	nodes   map[string]*Node
	loads   map[string]Load
	placed  map[string]map[string]Placed // by front, server
	turns   map[string]int64             // by server: revision of the key
	streams map[stream.Name]*viewStream
	pulls   map[stream.Name]map[string]bool
	absent  absent
	lately  lately
	free    map[stream.Name]struct{} // see giveBack
	began   time.Time                // of the first list
	subs    map[stream.Name]map[*Subscription]bool
	closed  bool
	until   map[string]time.Time // when remembered nodes are forgotten
}

type viewStream struct {
	StreamRecord
	claim string
	rev   int64     // of the key
	until time.Time // if Remembered
}

func newView(now func() time.Time) *view {
	return &view{
		now: now, synced: make(chan struct{}),
		nodes: map[string]*Node{}, loads: map[string]Load{}, until: map[string]time.Time{},
		placed: map[string]map[string]Placed{}, turns: map[string]int64{},
		streams: map[stream.Name]*viewStream{},
		pulls:   map[stream.Name]map[string]bool{},
		absent:  newAbsent(), lately: newLately(), subs: map[stream.Name]map[*Subscription]bool{},
	}
}

func (v *view) stream(name stream.Name) (viewStream, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.streams[name]; s != nil {
		return *s, true
	}
	return viewStream{}, false
}

func (v *view) pullers(name stream.Name) []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Sorted(maps.Keys(v.pulls[name]))
}

// withSelf adds or removes this node, whose own word is fresher than the store's.
func withSelf(nodes []string, self string, in bool) []string {
	i, found := slices.BinarySearch(nodes, self)
	switch {
	case in && !found:
		return slices.Insert(nodes, i, self)
	case !in && found:
		return slices.Delete(nodes, i, i+1)
	}
	return nodes
}

// Nodes lists the members as the view has them, by name.
func (c *Cluster) Nodes() []Node {
	c.view.mu.RLock()
	defer c.view.mu.RUnlock()
	nodes := make([]Node, 0, len(c.view.nodes))
	for _, n := range c.view.nodes {
		nodes = append(nodes, *n)
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes
}

// Node returns one member.
func (c *Cluster) Node(name string) (Node, bool) {
	c.view.mu.RLock()
	defer c.view.mu.RUnlock()
	if n := c.view.nodes[name]; n != nil {
		return *n, true
	}
	return Node{}, false
}

// Streams lists the streams that somebody owns, by name, those included that this node holds unconfirmed.
func (c *Cluster) Streams() []StreamRecord {
	all := map[stream.Name]StreamRecord{}
	c.view.mu.RLock()
	for name, s := range c.view.streams {
		if s.Owner != c.o.Self.Name { // of its own this node knows better
			all[name] = s.StreamRecord
		}
	}
	c.view.mu.RUnlock()
	c.mu.Lock()
	for name, o := range c.held {
		if r, ok := c.localRecord(o); ok {
			all[name] = r
		}
	}
	c.mu.Unlock()
	out := slices.Collect(maps.Values(all))
	slices.SortFunc(out, func(a, b StreamRecord) int {
		if d := strings.Compare(a.Name.App, b.Name.App); d != 0 {
			return d
		}
		return strings.Compare(a.Name.Stream, b.Name.Stream)
	})
	return out
}
