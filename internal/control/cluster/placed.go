package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"weir/internal/control/store"
)

// What a front has at servers that are no nodes only fronts can tell each other. Each keeps one record of it in the
// store, under its lease: a few writes a second at most, whatever the number of sessions, and gone with the front.

// SharePlaced sets who is asked, from the sharer's goroutine, what this node has at servers that are no nodes. It must not
// call back.
func (c *Cluster) SharePlaced(placed func() map[string]Placed) {
	c.mu.Lock()
	c.place = placed
	c.mu.Unlock()
	c.wakeSharer.ring()
}

// PlacedChanged has it asked and written soon; it does not block.
func (c *Cluster) PlacedChanged() { c.wakeSharer.ring() }

// shared is what is known of this node's record.
type shared struct {
	value []byte // as written; nil: it is not there
	under store.LeaseID
	of    uint64    // incarnation
	at    time.Time // by the runtime's clock
}

// pause is how long after a write the next one is.
func (s *shared) pause() time.Duration {
	return min(max(shareEvery, time.Duration(len(s.value))*time.Second/shareRate), shareMost)
}

// sharer writes the record when something changed, and lets publishers in (admit.go).
func (c *Cluster) sharer() {
	var last shared
	changed := false
	for {
		var due <-chan time.Time
		if changed {
			due = time.After(time.Until(last.at.Add(last.pause())))
		}
		select {
		case <-c.ctx.Done():
			return
		case <-c.wakeSharer:
			changed = true
		case a := <-c.asked:
			batch := []admission{a}
			for more := true; more && len(batch) < admitAtOnce; {
				select {
				case a := <-c.asked:
					batch = append(batch, a)
				default:
					more = false
				}
			}
			c.admit(batch, &last)
		case <-due:
			changed = c.share(&last) != nil
		}
	}
}

// basis is what a write of this node's record stands on.
type basis struct {
	placed func() map[string]Placed // nil: it is no front
	lease  store.LeaseID            // 0: it has none
	seen   seen
	incRev int64 // revision of the incarnation
}

func (c *Cluster) basis() basis {
	c.mu.Lock()
	defer c.mu.Unlock()
	return basis{c.place, c.lease, c.seen, c.incRev}
}

// share writes the record if it is not what it ought to be. Nobody reads that of a lone front.
func (c *Cluster) share(last *shared) error {
	now := c.basis()
	if now.placed == nil || now.lease == 0 || c.health.isDown() || !c.otherFronts() { // who changes it rings, and so does each second
		return nil
	}
	placed := now.placed()
	value := encode(placed)
	if same := last.under == now.lease && last.of == now.seen.incarnation; same && bytes.Equal(value, last.value) || !same && len(placed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, admitTimeout) // publishers wait behind it
	defer cancel()
	last.at = time.Now()
	ok, rev, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: c.keys.incarnation(), Rev: now.incRev}},
		[]store.Op{store.OpPut(c.keys.front(c.o.Self.Name), value, now.lease)})
	if ctx.Err() == nil { // else it is for those to say whether the store is away who wait longer
		c.observeWrite(now.seen, rev, ok, err)
	}
	switch {
	case errors.Is(err, store.ErrLeaseGone):
		c.leaseGone(now.lease)
	case err != nil:
		last.value = nil // it may be there all the same
	case err == nil && !ok:
		c.wakeWatcher.ring()
	case err == nil:
		last.value, last.under, last.of = value, now.lease, now.seen.incarnation
	}
	return err
}

// otherFronts reports whether there is anybody to tell.
func (c *Cluster) otherFronts() bool {
	c.view.mu.RLock()
	defer c.view.mu.RUnlock()
	for name, n := range c.view.nodes {
		if name != c.o.Self.Name && n.HasRole("front") {
			return true
		}
	}
	return false
}

// parsePlaced reads a front's record. What is not a number of sessions is not believed.
func parsePlaced(kv store.KV) (l map[string]Placed, ok bool) {
	if json.Unmarshal(kv.Value, &l) != nil {
		return nil, false
	}
	maps.DeleteFunc(l, func(_ string, p Placed) bool {
		return slices.Min([]float64{float64(p.Sessions), float64(p.Publishers), p.EgressBPS, p.IngressBPS}) < 0
	})
	return l, true
}
