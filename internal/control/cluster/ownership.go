package cluster

import (
	"context"
	"errors"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// Ownership is this node's hold on one stream. It ends once, by Release or by loss.
type Ownership struct {
	// Static.
	c     *Cluster
	name  stream.Name
	claim string // this claim's own name in the store
	since time.Time
	lost  chan struct{}

	op gate // one conversation with the store at a time; before c.mu

	// Under c.mu.
	facts Facts
	epoch stream.Epoch // zero: unconfirmed
	// displaced are the claims of this node whose place this one took: the record may still be
	// one of theirs until this one is confirmed.
	displaced []string
	rev       int64 // of the record as last written or seen
	changed   chan struct{}
	wanted    uint64 // grows when the record has to be looked at; settled when equal
	settled   uint64
	ready     bool // the claim has been granted, confirmed or not
	ended     bool
	lostTo    StreamRecord
}

// touch needs c.mu.
func (o *Ownership) touch() { o.wanted++ }

// Name is the stream's.
func (o *Ownership) Name() stream.Name { return o.name }

// Epoch is zero while the ownership is unconfirmed, and may grow: see Changed.
func (o *Ownership) Epoch() stream.Epoch {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.epoch
}

// Confirmed reports whether the store has granted this ownership.
func (o *Ownership) Confirmed() bool { return !o.Epoch().IsZero() }

// Changed is closed when the epoch changes; ask again then for the next change. Get the
// channel before the epoch, to miss none.
func (o *Ownership) Changed() <-chan struct{} {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.changed
}

// Lost is closed when another node owns the stream, or another process took this
// node's name. Not after Release.
func (o *Ownership) Lost() <-chan struct{} { return o.lost }

// LostTo is the new owner and its epoch, after Lost.
func (o *Ownership) LostTo() (owner string, epoch stream.Epoch) {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.lostTo.Owner, o.lostTo.Epoch
}

// Update replaces the public facts; they are written in the background. A change of the
// foreign server that has the stream is told to subscribers, as one of owners is. Not more than
// about once a second: every change goes to every node.
func (o *Ownership) Update(f Facts) {
	o.c.mu.Lock()
	moved := o.facts.Backend != f.Backend
	o.facts = f
	o.touch()
	r, granted := o.c.localRecord(o)
	granted = granted && !o.ended
	o.c.mu.Unlock()
	o.c.wakeReconciler.ring()
	if moved && granted { // who asks here need not wait for the store
		o.c.view.notify(o.name, OwnerChange{Record: r, Present: true})
	}
}

// Release gives the stream back. It tries the store at once, within claimTimeout and whether
// or not ctx has ended, for it is called when everything ends; if that fails, the
// error is returned and the record is removed in the background. Again, or after loss, it does nothing.
func (o *Ownership) Release(ctx context.Context) error {
	c := o.c
	if !c.drop(o) {
		return nil
	}
	c.mu.Lock()
	rest := len(o.displaced) > 0
	c.giveBack(o)
	epoch := o.epoch
	c.mu.Unlock()
	c.view.notify(o.name, OwnerChange{Record: StreamRecord{Name: o.name}})
	c.o.Emit.Emit(event.Released{Name: o.name, Epoch: epoch, Reason: event.Unpublished})
	if c.health.isDown() {
		c.wakeReconciler.ring()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	err := o.op.lock(ctx) // a settlement under way could write the record again
	if err == nil {
		defer o.op.unlock()
		err = c.removeClaim(ctx, o.claim, o.name)
	}
	if err != nil || rest {
		c.wakeReconciler.ring()
	}
	return err
}

// drop ends the hold and reports whether it was one.
func (c *Cluster) drop(o *Ownership) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.ended {
		return false
	}
	o.ended = true
	if c.held[o.name] == o {
		delete(c.held, o.name)
	}
	return true
}

// giveBack has whatever is left in the store of a hold that has ended removed. It needs c.mu.
func (c *Cluster) giveBack(o *Ownership) {
	c.releases[o.claim] = o.name
	for _, claim := range o.displaced {
		c.releases[claim] = o.name
	}
}

// lose ends the hold in favour of another.
func (c *Cluster) lose(o *Ownership, to StreamRecord) {
	if !c.drop(o) {
		return
	}
	c.mu.Lock()
	o.lostTo = to
	epoch, granted, why := o.epoch, o.ready, event.StaleEpoch
	if to.Owner != c.o.Self.Name && to.Facts.Timeline != "" && to.Facts.Timeline == o.facts.Timeline {
		why = event.HandedOver
	}
	c.giveBack(o) // should anything of it be left
	c.mu.Unlock()
	close(o.lost)
	c.wakeReconciler.ring()
	c.view.notify(o.name, OwnerChange{Record: to, Present: to.Owner != ""})
	if granted {
		c.o.Emit.Emit(event.OwnershipLost{Name: o.name, Epoch: epoch, By: to.Owner, Higher: to.Epoch, Reason: why})
	}
}

// localRecord needs c.mu.
func (c *Cluster) localRecord(o *Ownership) (StreamRecord, bool) {
	return StreamRecord{Name: o.name, Owner: c.o.Self.Name, Epoch: o.epoch, Since: o.since, Facts: o.facts}, o.ready
}

// removeClaim deletes the stream's record if it is of that claim, whatever its revision.
func (c *Cluster) removeClaim(ctx context.Context, claim string, name stream.Name) error {
	key := c.keys.stream(name)
	for range settleTries {
		before := c.seenNow()
		kv, err := c.o.Store.Get(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			c.observe(before, 0, err)
			return err
		}
		done := err != nil
		if v, ok := parseStream(kv); !done && (!ok || v.Claim != claim) {
			done = true
		}
		if !done {
			var rev int64
			done, rev, _, err = c.o.Store.Txn(ctx, []store.Cond{{Key: key, Rev: kv.Rev}}, []store.Op{store.OpDelete(key)})
			c.observeWrite(before, rev, done, err)
			if err != nil {
				return err
			}
			if done {
				c.mu.Lock()
				c.note(before, write{key: key, at: rev})
				c.mu.Unlock()
			}
		}
		if done {
			c.mu.Lock()
			delete(c.releases, claim)
			c.mu.Unlock()
			return nil
		}
	}
	return &store.UnavailableError{Op: "release", Hint: "the record keeps changing"}
}
