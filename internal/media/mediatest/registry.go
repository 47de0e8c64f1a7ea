package mediatest

import (
	"context"
	"sync"

	"weir/internal/media/ingest"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

// Registry is who owns what, for all nodes of a World. Like a cluster's it grants
// growing epochs, knows a publisher that is handed over by its timeline, and tells
// watchers of changes.
type Registry struct {
	mu       sync.Mutex
	revision uint64
	owners   map[stream.Name]*claim
	yielding map[stream.Name]bool
	watchers map[stream.Name]map[chan struct{}]bool
}

// claim implements ingest.Claim.
type claim struct {
	r        *Registry
	node     *Node
	name     stream.Name
	timeline string
	epoch    stream.Epoch
	changed  chan struct{}
	lost     chan struct{}
}

func (c *claim) Epoch() stream.Epoch      { return c.epoch }
func (c *claim) Changed() <-chan struct{} { return c.changed }
func (c *claim) Lost() <-chan struct{}    { return c.lost }
func (c *claim) Release()                 { c.r.drop(c) }

func newRegistry() *Registry {
	return &Registry{owners: make(map[stream.Name]*claim), yielding: make(map[stream.Name]bool), watchers: make(map[stream.Name]map[chan struct{}]bool)}
}

// Own makes a node the owner, whoever was it before, without telling that one: as
// if it were frozen or cut off.
func (r *Registry) Own(name stream.Name, n *Node) stream.Epoch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.grant(name, n, "").epoch
}

// Yield gives a stream to the next newcomer while the record is still its owner's, as
// when the store is away.
func (r *Registry) Yield(name stream.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.yielding[name] = true
}

// Forget removes a stream's record, as an expired lease does.
func (r *Registry) Forget(name stream.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.owners, name)
	r.tell(name)
}

func (r *Registry) grant(name stream.Name, n *Node, timeline string) *claim {
	r.revision++
	c := &claim{r: r, node: n, name: name, timeline: timeline, epoch: stream.Epoch{Incarnation: 1, Revision: r.revision},
		changed: make(chan struct{}), lost: make(chan struct{})}
	r.owners[name] = c
	r.tell(name)
	return c
}

func (r *Registry) drop(c *claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owners[c.name] == c {
		delete(r.owners, c.name)
		r.tell(c.name)
	}
}

func (r *Registry) tell(name stream.Name) {
	for ch := range r.watchers[name] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// view is the Registry as one node sees it: ingest.Registry and relay.Locator.
type view struct {
	r *Registry
	n *Node
}

func (v view) Claim(_ context.Context, req ingest.Request) (ingest.Claim, error) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if held := v.r.owners[req.Name]; held != nil {
		if held.timeline != req.Timeline && v.r.yielding[req.Name] {
			delete(v.r.yielding, req.Name)
			v.r.revision++
			return &claim{r: v.r, epoch: stream.Epoch{Incarnation: 1, Revision: v.r.revision}, changed: make(chan struct{}), lost: make(chan struct{})}, nil
		}
		if held.timeline != req.Timeline {
			return nil, &ingest.BusyError{Name: req.Name, Owner: held.node.Name}
		}
		close(held.lost)
	}
	return v.r.grant(req.Name, v.n, req.Timeline), nil
}

func (v view) Locate(_ context.Context, name stream.Name, _ string) (relay.Source, bool, error) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	c := v.r.owners[name]
	if c == nil {
		return relay.Source{}, false, nil
	}
	return relay.Source{Node: c.node.Name, Addr: c.node.Addr, Epoch: c.epoch, Self: c.node == v.n}, true, nil
}

func (v view) Watch(name stream.Name) (<-chan struct{}, func()) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	ch := make(chan struct{}, 1)
	if v.r.watchers[name] == nil {
		v.r.watchers[name] = make(map[chan struct{}]bool)
	}
	v.r.watchers[name][ch] = true
	return ch, func() {
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		if delete(v.r.watchers[name], ch); len(v.r.watchers[name]) == 0 {
			delete(v.r.watchers, name)
		}
	}
}
