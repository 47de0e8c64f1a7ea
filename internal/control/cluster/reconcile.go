package cluster

import (
	"context"
	"sync"
	"time"

	"weir/internal/stream"
)

// reconciler makes the store say what this node holds: streams, releases that did not
// get through, orphans, pulls. It runs when rung, and again after a pause while something is left.
func (c *Cluster) reconciler() {
	var again <-chan time.Time
	for n := 0; ; {
		select {
		case <-c.ctx.Done():
			return
		case <-c.wakeReconciler:
		case <-again:
		}
		again = nil
		if err := c.reconcile(); err != nil {
			c.log.Debug("reconciling", "err", err)
			again = time.After(c.backoff(n))
			n++
		} else {
			n = 0
		}
	}
}

// reconcile does one round. Without a lease there is nothing to write with: the
// session rings when it has one.
func (c *Cluster) reconcile() error {
	c.mu.Lock()
	var dirty []*Ownership
	releases := map[string]stream.Name{}
	for _, o := range c.held {
		if o.ready && o.settled != o.wanted {
			dirty = append(dirty, o)
		}
	}
	for claim, name := range c.releases {
		// A claim under way, or one whose record is seen before its answer.
		if o := c.held[name]; o == nil || o.claim != claim {
			releases[claim] = name
		} else {
			delete(c.releases, claim)
		}
	}
	lease := c.lease
	c.mu.Unlock()
	if lease == 0 {
		return nil
	}

	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	slots := make(chan struct{}, settleWorkers)
	run := func(what func(context.Context) error) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(c.ctx, claimTimeout)
			defer cancel()
			if err := what(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	for _, o := range dirty {
		run(func(ctx context.Context) error { return c.settleAgain(ctx, o) })
	}
	for claim, name := range releases {
		run(func(ctx context.Context) error { return c.removeClaim(ctx, claim, name) })
	}
	for _, b := range c.duePulls() {
		run(func(ctx context.Context) error { return c.writePulls(ctx, b) })
	}
	wg.Wait()
	return first
}

func (c *Cluster) settleAgain(ctx context.Context, o *Ownership) error {
	if err := o.op.lock(ctx); err != nil {
		return err
	}
	defer o.op.unlock()
	c.mu.Lock()
	skip := o.ended || o.settled == o.wanted
	c.mu.Unlock()
	if skip {
		return nil
	}
	return c.settle(ctx, o, nil)
}
