package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// Known returns the stream as this process last heard of it, asking nobody.
func (c *Cluster) Known(name stream.Name) (StreamRecord, bool) { return c.known(name) }

// Owner says who owns a stream: from this node's own holdings, from the view, from the memory of
// absent names, or else by one linearizable read that concurrent askers of
// the name share. While the store is away a name that is not known gives ErrUnavailable at once.
func (c *Cluster) Owner(ctx context.Context, name stream.Name) (StreamRecord, bool, error) {
	if r, ok := c.known(name); ok {
		return r, true, nil
	}
	c.view.mu.RLock()
	absent := c.view.absent.has(name, c.o.Now())
	c.view.mu.RUnlock()
	if absent {
		c.limitHit(name, event.NegativeCached)
		return StreamRecord{}, false, nil
	}
	if c.ctx.Err() != nil {
		return StreamRecord{}, false, ErrClosed
	}
	if c.health.isDown() {
		if err := c.health.lastError(); err != nil {
			return StreamRecord{}, false, err
		}
	}
	type answer struct {
		StreamRecord
		ok bool
	}
	ch := c.flight.DoChan(c.keys.stream(name), func() (any, error) {
		if !c.begin() {
			return nil, ErrClosed
		}
		defer c.wg.Done()
		r, ok, err := c.readOwner(name)
		return answer{r, ok}, err
	})
	select {
	case res := <-ch:
		if res.Err != nil {
			return StreamRecord{}, false, res.Err
		}
		a := res.Val.(answer)
		return a.StreamRecord, a.ok, nil
	case <-ctx.Done():
		return StreamRecord{}, false, ctx.Err()
	}
}

// known answers without the store. A record of this node's own that it does not hold is one
// that is being removed.
func (c *Cluster) known(name stream.Name) (StreamRecord, bool) {
	c.mu.Lock()
	o := c.held[name]
	if o != nil {
		if r, ok := c.localRecord(o); ok {
			c.mu.Unlock()
			return r, true
		}
	}
	c.mu.Unlock()
	s, ok := c.view.stream(name)
	if !ok || s.Owner == c.o.Self.Name {
		return StreamRecord{}, false
	}
	return s.StreamRecord, true
}

// readOwner runs for all askers, so under the Cluster's context and not under one of theirs.
func (c *Cluster) readOwner(name stream.Name) (StreamRecord, bool, error) {
	ctx, cancel := context.WithTimeout(c.ctx, claimTimeout)
	defer cancel()
	before := c.seenNow()
	kv, err := c.o.Store.Get(ctx, c.keys.stream(name))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.observe(before, 0, err)
		return StreamRecord{}, false, err
	}
	c.observe(before, 0, nil)
	full := false
	defer func() { // after the lock
		if full {
			c.limitHit(name, event.NegativeCacheFull)
		}
	}()
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if s := c.view.streams[name]; s != nil && s.Owner != c.o.Self.Name { // the watch was faster
		return s.StreamRecord, true, nil
	}
	// A record that the view has passed, and does not hold, is gone again.
	if v, ok := parseStream(kv); err == nil && ok && kv.Rev > c.view.rev && v.Owner != c.o.Self.Name {
		return v.record(name, kv), true, nil
	}
	full = c.view.absent.add(name, c.o.Now())
	return StreamRecord{}, false, nil
}

// FindNode is [Cluster.Node] for who has an owner's name from the store: the view may be behind it, so a
// node that is not there is looked up, once for all who ask. It fails if the store cannot say.
func (c *Cluster) FindNode(ctx context.Context, name string) (n Node, ok bool, err error) {
	if n, ok := c.Node(name); ok || name == "" {
		return n, ok, nil
	}
	if c.health.isDown() {
		return Node{}, false, store.ErrUnavailable
	}
	ch := c.flight.DoChan(c.keys.node(name), func() (any, error) {
		if !c.begin() {
			return nil, ErrClosed
		}
		defer c.wg.Done()
		ctx, cancel := context.WithTimeout(c.ctx, claimTimeout)
		defer cancel()
		before := c.seenNow()
		kv, err := c.o.Store.Get(ctx, c.keys.node(name))
		if errors.Is(err, store.ErrNotFound) {
			c.observe(before, 0, nil)
			return nil, err
		}
		c.observe(before, 0, err)
		var n Node
		if err == nil {
			err = json.Unmarshal(kv.Value, &n.NodeRecord)
		}
		return n, err
	})
	select {
	case res := <-ch:
		if errors.Is(res.Err, store.ErrNotFound) {
			return Node{}, false, nil
		}
		n, ok := res.Val.(Node)
		return n, ok && res.Err == nil, res.Err
	case <-ctx.Done():
		return Node{}, false, context.Cause(ctx)
	}
}

func (c *Cluster) limitHit(name stream.Name, r event.Reason) {
	c.o.Emit.Emit(event.LimitHit{Session: event.Session{App: name.App, Stream: name.Stream}, Reason: r})
}

// WaitOwner waits until somebody owns the stream, or ctx ends. A store that is away is waited for.
func (c *Cluster) WaitOwner(ctx context.Context, name stream.Name) (StreamRecord, error) {
	sub := c.OwnerChanges(name)
	defer sub.Close()
	for {
		r, ok, err := c.Owner(ctx, name)
		var again <-chan time.Time
		switch {
		case ok:
			return r, nil
		case away(err):
			again = time.After(c.backoff(3))
		case err != nil:
			return StreamRecord{}, err
		}
		select {
		case ch, open := <-sub.C:
			if !open {
				return StreamRecord{}, ErrClosed
			}
			if ch.Present {
				return ch.Record, nil
			}
		case <-again:
		case <-ctx.Done():
			return StreamRecord{}, ctx.Err()
		}
	}
}
