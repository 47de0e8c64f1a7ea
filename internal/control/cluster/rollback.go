package cluster

import (
	"context"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// A store that comes back as an older copy is found out by what it has forgotten. Every node
// writes its load at least every loadRefresh, on condition that the one before is still there; so a
// copy from before that is found out at the next. What a node has written since its last load is a
// condition as well: the newest of it, for a copy without any has not got the newest. And
// revisions only grow: a write that gets one which was known before it was made goes to an older
// copy, whatever has been written there since.

// write is one of this node's own writes, as the store has to have it.
type write struct {
	key   string
	rev   int64       // of the key; 0: it was deleted
	at    int64       // the revision of the write
	claim string      // of a stream's record
	name  stream.Name // of a stream
	lease store.LeaseID
}

// note remembers a write if it is the newest. It needs c.mu.
func (c *Cluster) note(before seen, w write) {
	if c.seen.incarnation == before.incarnation && w.at > c.newest.at {
		w.lease = c.lease
		c.newest = w
	}
}

// unproven is the newest write after the load at revision last, if the store has to have it
// still: not what went with a lease, or has passed to another. It needs c.mu.
func (c *Cluster) unproven(last int64) (write, bool) {
	w := c.newest
	switch {
	case w.at <= last, w.lease != c.lease:
		return write{}, false
	case w.claim != "":
		o := c.held[w.name]
		return w, o != nil && o.claim == w.claim
	}
	return w, true
}

// stands reports whether this node has begun nothing since that deletes a write: whoever finds it gone
// asks only now, for the deletion may have been faster than the question.
func (c *Cluster) stands(w write) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o := c.held[w.name]; {
	case w.rev == 0:
		return true
	case w.claim != "":
		return o != nil && o.claim == w.claim
	}
	return c.written[w.name].rev == w.rev
}

// forgot reports whether the store has lost a write, by what it has for its key. A key that has
// been written since may have been so by right.
func (w write) forgot(now store.KV) bool {
	if now.Rev == w.rev {
		v, ok := parseStream(now)
		return w.claim != "" && ok && v.Claim != w.claim // the revision has been issued twice
	}
	return now.Rev < w.at
}

// wentBackAt takes note that the store went back while it had an incarnation: the next look
// at it raises it.
func (c *Cluster) wentBackAt(incarnation uint64) {
	c.mu.Lock()
	c.back = max(c.back, incarnation)
	c.mu.Unlock()
	c.wakeWatcher.ring()
}

// observeWrite is observe for a call that has written: the revision is a new one.
func (c *Cluster) observeWrite(before seen, rev int64, ok bool, err error) {
	if err == nil && ok && rev == before.rev {
		rev-- // to a store that went back
	}
	c.observeCall(before, rev, true, err)
}

// proved checks after a load was written whether a write is still what the store has.
func (c *Cluster) proved(ctx context.Context, w write, before seen) {
	if w.claim == "" || w.rev == 0 {
		return
	}
	if now, err := c.o.Store.Get(ctx, w.key); err == nil && w.forgot(now) {
		c.wentBackAt(before.incarnation)
	}
}

// forgetWrite ends the proof of a write that was overwritten since.
func (c *Cluster) forgetWrite(w write) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.newest == w {
		c.newest = write{at: w.at}
	}
}
