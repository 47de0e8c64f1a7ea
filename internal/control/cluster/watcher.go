package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// watcher keeps the view: list, then watch from there, and again when the watch
// breaks, falls behind a compaction, or the store turns out to be another.
func (c *Cluster) watcher() {
	for n := 0; c.ctx.Err() == nil; {
		select {
		case <-c.wakeWatcher: // that is what comes now
		default:
		}
		rev, err := c.resync()
		if err != nil {
			select {
			case <-time.After(c.backoff(n)):
			case <-c.ctx.Done():
			}
			n++
			continue
		}
		n = 0
		switch err := c.follow(rev + 1); {
		case errors.Is(err, errAnew):
			c.log.Debug("making the view anew: the store may be another, or what was remembered is due")
		case err != nil:
			c.log.Info("making the view anew: the watch broke", "err", err)
		}
	}
}

// resync makes the view anew. What a view of another incarnation holds is remembered for a while.
func (c *Cluster) resync() (rev int64, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, 3*claimTimeout)
	defer cancel()
	if err := c.checkIncarnation(ctx); err != nil {
		return 0, err
	}
	before := c.seenNow()
	reborn := before.incarnation != c.view.incarnation
	if reborn {
		if err := c.settleSecret(ctx); err != nil {
			return 0, err
		}
	}
	kvs, rev, err := c.o.Store.List(ctx, c.keys.prefix)
	c.observe(before, rev, err)
	if err != nil {
		return 0, err
	}
	if c.wentBack(before, rev) {
		return 0, errWentBack
	}
	c.announce(c.view.reset(c.keys, kvs, rev, reborn || c.shaken()))
	c.view.incarnation = before.incarnation
	for _, kv := range kvs {
		c.compare(store.Event{KV: kv})
	}
	c.compareMissing(kvs, rev)
	return rev, nil
}

// shaken reports whether the store was away a moment ago, or this node's lease ran
// out: then others' leases may have run out with nothing wrong with their nodes.
func (c *Cluster) shaken() bool {
	c.mu.Lock()
	leaseless := c.lease == 0
	lost := c.leaseLost
	c.mu.Unlock()
	now := c.o.Now()
	return leaseless || !lost.IsZero() && now.Sub(lost) < rememberFor || c.health.recently(now)
}

// compareMissing finds what this node holds and a list at revision rev does not: its
// deletion went by between two watches.
func (c *Cluster) compareMissing(kvs []store.KV, rev int64) {
	listed, pulled, registered := map[stream.Name]bool{}, map[stream.Name]bool{}, false
	for _, kv := range kvs {
		switch p := c.keys.parse(kv.Key); {
		case p.kind == "streams":
			listed[p.name] = true
		case p.kind == "pulls" && p.node == c.o.Self.Name:
			pulled[p.name] = true
		case p.kind == "nodes" && p.node == c.o.Self.Name:
			registered = true
		}
	}
	if !registered {
		c.wakeSession.ring()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, r := range c.written {
		if c.pulls[name] && !pulled[name] {
			c.written[name] = pullRecord{rev: r.rev, gone: max(r.gone, rev)}
			c.wakeReconciler.ring()
		}
	}
	for name, o := range c.held {
		if !listed[name] && o.rev <= rev {
			o.touch()
			c.wakeReconciler.ring()
		}
	}
}

var (
	errWentBack = errors.New("the store's revision went back")
	errAnew     = errors.New("the view is due")
)

// follow applies the watch until it ends or the view has to be made anew.
func (c *Cluster) follow(from int64) error {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	batches := c.o.Store.Watch(ctx, c.keys.prefix, from)
	for {
		select {
		case <-c.ctx.Done():
			return nil
		case <-c.wakeWatcher:
			return errAnew
		case b, ok := <-batches:
			if !ok {
				return errors.New("the watch ended")
			}
			if b.Err != nil {
				return b.Err
			}
			before := c.seenNow()
			c.announce(c.view.apply(c.keys, b, c.shaken()))
			c.mu.Lock()
			if c.seen == before {
				c.seen.rev = max(c.seen.rev, b.Rev)
			}
			c.mu.Unlock()
			for _, e := range b.Events {
				if c.keys.parse(e.Key).kind == "incarnation" {
					if err := c.checkIncarnation(c.ctx); err != nil {
						return err
					}
				}
				c.compare(e)
			}
		}
	}
}

// compare looks at a change of a record from the side of what this node holds.
func (c *Cluster) compare(e store.Event) {
	p := c.keys.parse(e.Key)
	switch {
	case p.kind == "streams":
		c.compareStream(p, e)
	case p.kind == "pulls" && p.node == c.o.Self.Name:
		c.comparePull(p.name, !e.Deleted, e.Rev)
	case p.kind == "nodes" && p.node == c.o.Self.Name:
		var n NodeRecord
		if e.Deleted || json.Unmarshal(e.Value, &n) != nil || n.Process != c.o.Self.Process || !bytes.Equal(e.Value, encode(c.Self())) {
			c.wakeSession.ring()
		}
	}
}

// compareStream looks at a change of a stream's record.
func (c *Cluster) compareStream(p parsed, e store.Event) {
	c.mu.Lock()
	o := c.held[p.name]
	if e.Deleted {
		if o != nil && e.Rev > o.rev {
			o.touch()
			c.wakeReconciler.ring()
		}
		c.mu.Unlock()
		return
	}
	v, ok := parseStream(e.KV)
	switch {
	case !ok:
	case o == nil && v.Owner == c.o.Self.Name:
		c.releases[v.Claim] = p.name // an orphan: a claim that nobody holds
		c.wakeReconciler.ring()
	case o == nil || v.Claim == o.claim:
	case v.Owner != c.o.Self.Name && !o.epoch.IsZero() && o.epoch.Less(v.epoch(e.KV)):
		c.mu.Unlock()
		c.lose(o, v.record(p.name, e.KV))
		return
	case e.Rev > o.rev:
		o.touch()
		c.wakeReconciler.ring()
	}
	c.mu.Unlock()
}

func (c *Cluster) announce(ch fleetChange) {
	c.missing.note(ch, c.o.Now())
	if c.o.Gone != nil {
		for _, s := range ch.ended {
			c.o.Gone(s)
		}
	}
	if len(ch.up) > 0 {
		c.wakeSharer.ring() // a front that was alone may be so no longer
		c.compareSecrets(ch.up)
	}
	for _, n := range ch.up {
		if n.Name != c.o.Self.Name {
			c.o.Emit.Emit(event.NodeUp{Name: n.Name, Roles: n.Roles, State: string(n.State)})
		}
	}
	for _, n := range ch.gone {
		why := event.NodeLost
		if n.State == StateLeaving {
			why = event.NodeLeft
		}
		if n.Name != c.o.Self.Name {
			c.o.Emit.Emit(event.NodeDown{Name: n.Name, Reason: why})
		}
	}
}
