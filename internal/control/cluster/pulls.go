package cluster

import (
	"context"
	"errors"
	"slices"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// PullStarted records that this node carries the stream; it does not block.
func (c *Cluster) PullStarted(name stream.Name) { c.setPull(name, true) }

// PullEnded takes it back.
func (c *Cluster) PullEnded(name stream.Name) { c.setPull(name, false) }

func (c *Cluster) setPull(name stream.Name, on bool) {
	c.mu.Lock()
	if on {
		c.pulls[name] = true
	} else {
		delete(c.pulls, name)
	}
	c.mu.Unlock()
	c.wakeReconciler.ring()
}

// Pulls lists the nodes that carry the stream by a pull, in order.
func (c *Cluster) Pulls(name stream.Name) []string {
	nodes := c.view.pullers(name)
	c.mu.Lock()
	mine := c.pulls[name]
	c.mu.Unlock()
	return withSelf(nodes, c.o.Self.Name, mine)
}

// pullRecord is what is known of one of this node's pull records.
type pullRecord struct {
	lease store.LeaseID // under which it was written; 0: not known
	rev   int64         // at which it was, if no deletion of this node's has begun since; else 0
	gone  int64         // highest revision at which it was seen deleted
	there int64         // and at which it was seen when it ought not to be there
}

// pullChange is one write that is due to a pull record.
type pullChange struct {
	name stream.Name
	on   bool
}

// pullBatch is what is written by one transaction.
type pullBatch struct {
	changes []pullChange
	lease   store.LeaseID
	before  seen
}

// duePulls is what it takes to make the pull records what they ought to be.
func (c *Cluster) duePulls() (batches []pullBatch) {
	var due []pullChange
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lease == 0 { // the session rings when there is one; written under none, they would stay for ever
		return nil
	}
	for name := range c.pulls {
		if r := c.written[name]; r.lease != c.lease {
			due = append(due, pullChange{name, true})
			r.lease = 0
			c.written[name] = r // from here on it may be there, whatever the answer
		}
	}
	for name, r := range c.written {
		if !c.pulls[name] {
			due = append(due, pullChange{name, false})
			c.written[name] = pullRecord{gone: r.gone, there: r.there} // and from here on it may be gone
		}
	}
	for changes := range slices.Chunk(due, pullsWritten) {
		batches = append(batches, pullBatch{changes, c.lease, c.seen})
	}
	return batches
}

func (c *Cluster) writePulls(ctx context.Context, b pullBatch) error {
	ops := make([]store.Op, len(b.changes))
	for i, t := range b.changes {
		ops[i] = store.OpDelete(c.keys.pull(t.name, c.o.Self.Name))
		if t.on {
			ops[i] = store.OpPut(ops[i].Key, nil, b.lease)
		}
	}
	_, rev, _, err := c.o.Store.Txn(ctx, nil, ops)
	c.observe(b.before, rev, err)
	if errors.Is(err, store.ErrLeaseGone) {
		c.leaseGone(b.lease)
	}
	if err != nil {
		return err
	}
	for _, t := range b.changes {
		c.pullWritten(t.name, t.on, b.lease, rev, b.before)
	}
	return nil
}

// pullWritten takes note of an answer, unless more is known by now.
func (c *Cluster) pullWritten(name stream.Name, on bool, lease store.LeaseID, rev int64, before seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.written[name]
	w := write{key: c.keys.pull(name, c.o.Self.Name), at: rev, name: name}
	if on {
		w.rev = rev
	}
	c.note(before, w)
	switch {
	case c.seen.incarnation != before.incarnation, on && r.gone > rev:
		// Which store it went to is not known, or an earlier deletion came late and undid it.
		c.wakeReconciler.ring()
	case on:
		r.lease, r.rev = lease, rev
		c.written[name] = r
	case r.there > rev:
		// An earlier write came late.
		c.wakeReconciler.ring()
	default:
		delete(c.written, name)
	}
}

// comparePull finds a pull record that ought not to be there, or to be. rev is that of the
// change, or of the list in which it was looked for.
func (c *Cluster) comparePull(name stream.Name, there bool, rev int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, written := c.written[name]
	switch on := c.pulls[name]; {
	case there && !on:
		r.there = max(r.there, rev)
		c.written[name] = r
		if written {
			return // its deletion is under way, or due
		}
	case !there && on && written:
		c.written[name] = pullRecord{rev: r.rev, gone: max(r.gone, rev)}
	default:
		return
	}
	c.wakeReconciler.ring()
}

// sweepPulls has pull records of this node deleted that the view has and nobody here wants. The
// watch tells of them one by one; this is for what was told while the store itself changed.
func (c *Cluster) sweepPulls() {
	c.view.mu.RLock()
	var there []stream.Name
	for name, nodes := range c.view.pulls {
		if nodes[c.o.Self.Name] {
			there = append(there, name)
		}
	}
	c.view.mu.RUnlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range there {
		if _, known := c.written[name]; !known && !c.pulls[name] {
			c.written[name] = pullRecord{}
			c.wakeReconciler.ring()
		}
	}
}
