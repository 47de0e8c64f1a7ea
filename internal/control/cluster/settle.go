package cluster

import (
	"context"
	"errors"
	"reflect"

	"weir/internal/control/store"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// settle makes the stored record and the local hold agree. It needs o.op. A
// claim (o not ready) that finds another's record returns a BusyError, unless it takes over from
// that record's epoch; an ownership that finds a higher epoch is lost; all else is written:
//
//	record            epoch after
//	absent            new, unless a claim has to ask the last owner: a BusyError
//	this claim's      kept, if of the current incarnation; else new
//	an older claim of this node, or garbage    new
//	another's, lower epoch (restored copy)     new
func (c *Cluster) settle(ctx context.Context, o *Ownership, from *stream.Epoch) error {
	key := c.keys.stream(o.name)
	c.mu.Lock()
	claiming := !o.ready
	c.mu.Unlock()
	var last StreamRecord
	known := false
	if claiming && from == nil {
		last, known = c.lastOwner(o.name)
	}
	fresh := claiming && !known // then absent is the likeliest, and the transaction itself tells
	var cur store.KV
	for range settleTries {
		if !fresh {
			var err error
			before := c.seenNow()
			if cur, err = c.o.Store.Get(ctx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
				c.observe(before, 0, err)
				return err
			}
		}
		fresh = false
		p := c.plan(o, cur)
		if p.ended { // taken over meanwhile: what is stored is the successor's
			return nil
		}
		if p.lease == 0 {
			return &store.UnavailableError{Op: "claim", Hint: "this node is not registered at the moment"}
		}
		if p.other != nil && !p.claiming {
			c.lose(o, *p.other)
			return nil
		}
		if p.other != nil && (from == nil || p.other.Epoch != *from) {
			return busy(*p.other, false)
		}
		if known && cur.Rev == 0 {
			vanished, err := c.vanished(ctx, last)
			switch {
			case err != nil:
				return err
			case vanished:
				return busy(last, true)
			}
		}
		if p.same {
			c.confirm(o, p.epoch, cur.Rev, p)
			return nil
		}
		ok, rev, current, err := c.o.Store.Txn(ctx,
			[]store.Cond{{Key: c.keys.incarnation(), Rev: p.incRev}, {Key: key, Rev: cur.Rev}},
			[]store.Op{store.OpPut(key, encode(p.value), p.lease)})
		c.observeWrite(p.before, rev, ok, err)
		switch {
		case errors.Is(err, store.ErrLeaseGone):
			c.leaseGone(p.lease)
			return err
		case err != nil:
			return err
		case c.wentBack(p.before, rev) || !ok && current[0].Rev != p.incRev:
			if err := c.checkIncarnation(ctx); err != nil {
				return err
			}
		case ok:
			c.mu.Lock()
			c.note(p.before, write{key: key, rev: rev, at: rev, claim: o.claim, name: o.name})
			c.mu.Unlock()
			c.confirm(o, p.value.epoch(store.KV{Rev: rev}), rev, p)
			return nil
		}
	}
	return &store.UnavailableError{Op: "claim", Hint: "the record keeps changing"}
}

// plan is what settle makes of the stored record.
type plan struct {
	claiming bool
	ended    bool
	before   seen
	incRev   int64
	lease    store.LeaseID
	wanted   uint64
	other    *StreamRecord // who is in the way
	same     bool          // nothing to write
	epoch    stream.Epoch  // as stored, if same
	value    streamValue   // to write
}

func (c *Cluster) plan(o *Ownership, cur store.KV) plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := plan{
		claiming: !o.ready, ended: o.ended, before: c.seen, incRev: c.incRev, lease: c.lease, wanted: o.wanted,
		value: streamValue{Owner: c.o.Self.Name, Claim: o.claim, Incarnation: c.seen.incarnation, Since: o.since, Facts: o.facts},
	}
	if cur.Rev == 0 {
		return p
	}
	v, ok := parseStream(cur)
	switch epoch := v.epoch(cur); {
	case !ok:
	case v.Claim == o.claim:
		if v.Incarnation != c.seen.incarnation {
			break
		}
		p.value.Revision = epoch.Revision
		p.epoch = epoch
		p.same = cur.Lease == c.lease && reflect.DeepEqual(v.Facts, o.facts)
	case v.Owner == c.o.Self.Name:
	case p.claiming || o.epoch.Less(epoch):
		r := v.record(o.name, cur)
		p.other = &r
	}
	return p
}

// confirm takes over what the store says.
func (c *Cluster) confirm(o *Ownership, epoch stream.Epoch, rev int64, p plan) {
	c.mu.Lock()
	news, confirms := o.epoch != epoch, o.epoch.IsZero()
	o.epoch, o.rev, o.settled, o.displaced = epoch, rev, p.wanted, nil
	if news {
		close(o.changed)
		o.changed = make(chan struct{})
	}
	ready := o.ready && !o.ended
	c.mu.Unlock()
	if news && ready { // a claim announces itself
		c.o.Emit.Emit(event.Claimed{Name: o.name, Epoch: epoch, Confirms: confirms})
	}
}
