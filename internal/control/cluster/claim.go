package cluster

import (
	"context"
	"errors"

	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// Claim makes this node the owner of a stream that has none; a [*BusyError]
// names the owner otherwise, and whoever had it last and has vanished with it. While the store does not answer, a stream of
// which no owner is known is granted unconfirmed, and settled in the
// background: confirmed ([Ownership.Changed]) or lost ([Ownership.Lost]).
// A deadline of ctx is by when the claim has to begin: it takes deadline.Store more at most.
func (c *Cluster) Claim(ctx context.Context, name stream.Name, facts Facts) (*Ownership, error) {
	return c.claim(ctx, name, facts, nil)
}

// TakeOver claims a stream from the owner that holds it under epoch from, as a BusyError
// named it; the caller has authenticated the newcomer and found the owner
// silent, or the policy lets newcomers win. If the record has changed meanwhile, it is busy.
// On the node that owns the stream itself the local hold is lost to the new one.
func (c *Cluster) TakeOver(ctx context.Context, name stream.Name, facts Facts, from stream.Epoch) (*Ownership, error) {
	return c.claim(ctx, name, facts, &from)
}

func (c *Cluster) claim(ctx context.Context, name stream.Name, facts Facts, from *stream.Epoch) (*Ownership, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := &Ownership{
		c: c, name: name, claim: randomID(), since: c.o.Now(), facts: facts,
		op: newGate(), lost: make(chan struct{}), changed: make(chan struct{}), wanted: 1,
	}
	_ = o.op.lock(ctx) // nobody else knows it yet
	defer o.op.unlock()
	c.mu.Lock()
	old := c.held[name]
	switch {
	case c.closed:
		c.mu.Unlock()
		return nil, ErrClosed
	case c.usurped:
		c.mu.Unlock()
		return nil, ErrNameTaken
	case old != nil && (from == nil || !old.ready || old.epoch != *from):
		r, _ := c.localRecord(old)
		err := busy(r, false)
		c.mu.Unlock()
		c.refuse(err)
		return nil, err
	}
	c.held[name] = o
	if old != nil {
		old.ended = true
		o.displaced = append(old.displaced, old.claim)
	}
	c.mu.Unlock()

	// Not under ctx: a transaction cut off in the middle may have happened.
	limit := claimTimeout
	if c.health.isDown() {
		limit = claimTimeoutDown
	}
	sctx, cancel := context.WithTimeout(c.ctx, limit)
	defer cancel()
	err := c.settle(sctx, o, from)
	var refused *BusyError
	if old != nil {
		// Only now: whoever hears of it looks for the stream elsewhere, and must find the newcomer's record there.
		to := StreamRecord{Name: name, Owner: c.o.Self.Name, Epoch: o.Epoch()}
		if errors.As(err, &refused) {
			to = StreamRecord{Name: name, Owner: refused.Owner, Epoch: refused.Epoch}
		}
		c.supersede(old, to)
	}
	if errors.As(err, &refused) { // the store's own word: nothing was written
		c.drop(o)
		c.refuse(refused)
		return nil, err
	}
	if unsettled(err) {
		// What is remembered is the last that was known.
		if last, foreign := c.lastOwner(name); foreign && (from == nil || last.Epoch != *from) {
			err = busy(last, last.Remembered)
		} else {
			err = nil
		}
	}
	if err == nil && c.ctx.Err() != nil {
		err = ErrClosed
	}
	if err == nil && errors.Is(ctx.Err(), context.Canceled) {
		err = ctx.Err() // who wanted it has gone
	}
	if err != nil {
		c.drop(o)
		c.mu.Lock()
		c.giveBack(o) // should the transaction have happened after all
		c.mu.Unlock()
		c.wakeReconciler.ring()
		if errors.As(err, &refused) {
			c.refuse(refused)
		}
		return nil, err
	}
	c.grant(o)
	return o, nil
}

// supersede tells a hold that another claim took its place at this node, and whose the stream is by that.
func (c *Cluster) supersede(old *Ownership, to StreamRecord) {
	c.mu.Lock()
	old.lostTo = to
	epoch := old.epoch
	c.mu.Unlock()
	close(old.lost)
	c.o.Emit.Emit(event.OwnershipLost{Name: old.name, Epoch: epoch, By: to.Owner, Higher: to.Epoch, Reason: event.TakenOver})
}

// unsettled reports whether an error leaves open whose the stream is.
func unsettled(err error) bool {
	return away(err) || errors.Is(err, store.ErrLeaseGone)
}

func (c *Cluster) refuse(e *BusyError) {
	c.o.Emit.Emit(event.ClaimRefused{Name: e.Name, Owner: e.Owner, Epoch: e.Epoch, Reason: event.Busy})
}

// grant lets the world see a new ownership.
func (c *Cluster) grant(o *Ownership) {
	c.mu.Lock()
	o.ready = true
	r, _ := c.localRecord(o)
	c.mu.Unlock()
	c.o.Emit.Emit(event.Claimed{Name: o.name, Epoch: r.Epoch})
	c.view.notify(o.name, OwnerChange{Record: r, Present: true})
	if r.Epoch.IsZero() {
		c.wakeReconciler.ring()
	}
}
