package fleet

import (
	"slices"
	"sync"
)

// What changed of a backend; several at once are or-ed.
type What uint8

const (
	Added       What = 1 << iota
	Removed          // the last that is heard of that ID
	Described        // its description: addresses, checks, capacities, …
	HealthMoved      // from one state to another
	OperatorSet
	WeightChanged
)

// Has reports whether w includes any of o.
func (w What) Has(o What) bool { return w&o != 0 }

// Change is a backend that has changed since it was last told of.
type Change struct {
	What   What
	Status BackendStatus // now; of a removed one, at its end
}

// Changes is a subscription to all backends. Nothing waits for its reader: changes of one backend that
// were not yet read become one.
type Changes struct {
	b    *Backends
	wake chan struct{}

	mu      sync.Mutex
	pending map[uint64]Change // by ID
}

// C has a value when [Changes.Next] has something.
func (c *Changes) C() <-chan struct{} { return c.wake }

// Next returns what has changed since the last call, in the order in which the backends came; nil
// if nothing has.
func (c *Changes) Next() []Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Change, 0, len(c.pending))
	for _, ch := range c.pending {
		out = append(out, ch)
	}
	clear(c.pending)
	slices.SortFunc(out, func(a, b Change) int { return int(int64(a.Status.ID) - int64(b.Status.ID)) })
	return out
}

// Follow hands every change to f, on the caller's goroutine, until stop is closed.
func (c *Changes) Follow(stop <-chan struct{}, f func(*Change)) {
	for {
		for _, ch := range c.Next() {
			f(&ch)
		}
		select {
		case <-c.wake:
		case <-stop:
			return
		}
	}
}

// Close ends the subscription; C is not closed.
func (c *Changes) Close() {
	c.b.mu.Lock()
	delete(c.b.subs, c)
	c.b.mu.Unlock()
}

// add needs Backends.mu, which gives changes their order.
func (c *Changes) add(ch Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := ch.Status.ID
	ch.What |= c.pending[id].What
	if ch.What.Has(Added) && ch.What.Has(Removed) {
		delete(c.pending, id) // came and went unseen
		return
	}
	c.pending[id] = ch
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
