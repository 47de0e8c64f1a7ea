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

// share writes the record if it is not what it ought to be. Nobody reads that of a lone front.
func (c *Cluster) share(last *shared) error {
	c.mu.Lock()
	placed, lease, before, incRev := c.place, c.lease, c.seen, c.incRev
	c.mu.Unlock()
	if placed == nil || lease == 0 || c.health.isDown() || !c.otherFronts() { // who changes it rings, and so does each second
		return nil
	}
	now := placed()
	value := encode(now)
	if same := last.under == lease && last.of == before.incarnation; same && bytes.Equal(value, last.value) || !same && len(now) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, admitTimeout) // publishers wait behind it
	defer cancel()
	last.at = time.Now()
	ok, rev, _, err := c.o.Store.Txn(ctx, []store.Cond{{Key: c.keys.incarnation(), Rev: incRev}},
		[]store.Op{store.OpPut(c.keys.front(c.o.Self.Name), value, lease)})
	if ctx.Err() == nil { // else it is for those to say whether the store is away who wait longer
		c.observeWrite(before, rev, ok, err)
	}
	switch {
	case errors.Is(err, store.ErrLeaseGone):
		c.leaseGone(lease)
	case err != nil:
		last.value = nil // it may be there all the same
	case err == nil && !ok:
		c.wakeWatcher.ring()
	case err == nil:
		last.value, last.under, last.of = value, lease, before.incarnation
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

// elsewhere is how many publishers the other fronts have at servers, and the turns that this is as of.
func (v *view) elsewhere(self string, servers []string) (publishers map[string]int, turns map[string]int64) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	publishers, turns = map[string]int{}, map[string]int64{}
	for _, s := range servers {
		turns[s] = v.turns[s]
		for name, n := range v.nodes {
			if name != self {
				publishers[s] += n.Placed[s].Publishers
			}
		}
	}
	return publishers, turns
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
