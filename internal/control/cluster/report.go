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

// reporter writes the load when it changed, and now and then when it did not: then it is the
// call that finds out whether the store is still there and still the same.
func (c *Cluster) reporter() {
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
		c.mu.Lock()
		load, lease, before, incRev := c.load, c.lease, c.seen, c.incRev
		c.mu.Unlock()
		due := load != written || lease != under || time.Since(at) >= loadRefresh || c.health.isDown()
		if lease == 0 || !due {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, claimTimeout)
		// On the condition that the incarnation is the one known: a reborn store whose
		// revisions have caught up with those seen would not be noticed by them.
		ok, rev, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: c.keys.incarnation(), Rev: incRev}},
			[]store.Op{store.OpPut(c.keys.load(c.o.Self.Name), encode(load), lease)})
		cancel()
		c.observe(before, rev, err)
		switch {
		case err == nil && !ok:
			c.wakeWatcher.ring()
		case err == nil:
			written, at, under = load, time.Now(), lease
		case errors.Is(err, store.ErrLeaseGone):
			c.leaseGone(lease)
		}
	}
}
