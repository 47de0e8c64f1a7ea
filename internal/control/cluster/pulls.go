package cluster

import (
	"context"
	"errors"

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

// writePulls makes the pull records what they ought to be.
func (c *Cluster) writePulls(ctx context.Context) error {
	type change struct {
		name stream.Name
		on   bool
	}
	var todo []change
	c.mu.Lock()
	lease, before := c.lease, c.seen
	for name := range c.pulls {
		if c.written[name] != lease {
			todo = append(todo, change{name, true})
		}
	}
	for name := range c.written {
		if !c.pulls[name] {
			todo = append(todo, change{name, false})
		}
	}
	c.mu.Unlock()
	for _, t := range todo {
		key := c.keys.pull(t.name, c.o.Self.Name)
		op := store.OpDelete(key)
		if t.on {
			op = store.OpPut(key, nil, lease)
		}
		_, rev, _, err := c.o.Store.Txn(ctx, nil, []store.Op{op})
		c.observe(before, rev, err)
		if errors.Is(err, store.ErrLeaseGone) {
			c.leaseGone(lease)
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		if t.on {
			c.written[t.name] = lease
		} else {
			delete(c.written, t.name)
		}
		c.mu.Unlock()
	}
	return nil
}
