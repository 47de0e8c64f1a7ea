package cluster

import (
	"context"
	"errors"
	"math"
	"time"

	"weir/internal/control/store"
)

// ReportLoad sets the load to be written; it does not block.
func (c *Cluster) ReportLoad(l Load) {
	for _, f := range []*float64{&l.EgressBPS, &l.IngressBPS, &l.CPU} {
		if math.IsNaN(*f) || math.IsInf(*f, 0) {
			*f = 0
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load = l
}

// Load is what this node has reported last, written yet or not.
func (c *Cluster) Load() Load {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load
}

// reporter writes the load when it changed, and now and then when it did not: then it is the
// call that finds out whether the store is still there and still the same. It
// is if the incarnation is the one known and the last report is still there. By the revision
// alone a store that went back is not found out once it has caught up.
func (c *Cluster) reporter() {
	var last int64 // revision of the report before, under the same lease and incarnation; 0: none
	var of uint64  // that incarnation
	var written Load
	var at time.Time // by the runtime's clock
	var under store.LeaseID
	for {
		select {
		case <-time.After(loadPeriod*8/10 + c.random(loadPeriod*4/10)):
		case <-c.ctx.Done():
			return
		}
		if c.view.forget() {
			c.wakeWatcher.ring()
		}
		c.sweepPulls()
		c.mu.Lock()
		load, lease, before, incRev := c.load, c.lease, c.seen, c.incRev
		own, unproven := c.unproven(last)
		c.mu.Unlock()
		due := load != written || lease != under || time.Since(at) >= loadRefresh || c.health.isDown()
		if lease == 0 || !due {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, claimTimeout)
		key := c.keys.load(c.o.Self.Name)
		conds := []store.Cond{{Key: c.keys.incarnation(), Rev: incRev}}
		if lease != under || before.incarnation != of {
			last = 0
		}
		if last > 0 {
			conds = append(conds, store.Cond{Key: key, Rev: last})
		}
		if unproven {
			conds = append(conds, store.Cond{Key: own.key, Rev: own.rev})
		}
		ops := []store.Op{store.OpPut(key, encode(load), lease)}
		ok, rev, current, err := c.o.Store.Txn(ctx, conds, ops)
		c.observeWrite(before, rev, ok, err)
		if unproven && err == nil {
			switch now := len(conds) - 1; {
			case ok:
				c.proved(ctx, own, before)
			case current[now].Rev != own.rev && current[0].Rev == incRev:
				forgot := own.forgot(current[now])
				if forgot && current[now].Rev == 0 {
					if forgot = c.stands(own); forgot { // or it has gone with the lease: a write tells
						ok, rev, current, err = c.o.Store.Txn(ctx, conds[:1], ops)
						c.observeWrite(before, rev, ok, err)
						forgot = ok
					}
				}
				if forgot {
					c.wentBackAt(before.incarnation)
				}
				if err == nil {
					c.forgetWrite(own) // else it has been overwritten
				}
			}
		}
		if err == nil && !ok && last > 0 && current[0].Rev == incRev {
			// Later than known is a report whose answer was lost. Absent, it may have gone with the
			// lease: its next write tells.
			if now := current[1].Rev; 0 < now && now < last {
				err = c.raiseIncarnation(ctx, before.incarnation)
			}
			last, at = current[1].Rev, time.Time{}
		}
		cancel()
		switch {
		case err == nil && !ok:
			c.wakeWatcher.ring()
		case err == nil:
			written, at, under, last, of = load, time.Now(), lease, rev, before.incarnation
		case errors.Is(err, store.ErrLeaseGone):
			c.leaseGone(lease)
		}
	}
}
