package cluster

import (
	"weir/internal/ops/event"
)

// seen is the highest (incarnation, revision) that this process knows of.
type seen struct {
	incarnation uint64
	rev         int64
}

// observe takes note of a call's end: is the store there, and is it the one we knew?
// before is seenNow from before the call; rev what it returned, 0 if nothing.
func (c *Cluster) observe(before seen, rev int64, err error) { c.observeCall(before, rev, false, err) }

func (c *Cluster) observeCall(before seen, rev int64, wrote bool, err error) {
	if c.ctx.Err() != nil {
		return
	}
	down, since, changed := c.health.note(err, wrote, c.o.Now())
	if changed && down {
		c.o.Emit.Emit(event.StoreLost{Err: err})
	} else if changed {
		c.o.Emit.Emit(event.StoreBack{Dur: c.o.Now().Sub(since)})
		c.wakeReconciler.ring()
		c.wakeSharer.ring()
	}
	if err != nil || rev == 0 {
		return
	}
	if c.wentBack(before, rev) {
		c.wentBackAt(before.incarnation)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen.incarnation == before.incarnation {
		c.seen.rev = max(c.seen.rev, rev)
	}
}

// wentBack reports whether a call that began after before was answered by an older store. Calls are
// linearizable: an answer is never older than what was known before the question.
func (c *Cluster) wentBack(before seen, rev int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return rev > 0 && rev < before.rev && c.seen.incarnation == before.incarnation
}

func (c *Cluster) seenNow() seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}
