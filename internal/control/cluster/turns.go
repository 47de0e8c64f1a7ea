package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"

	"weir/internal/control/store"
)

// A server that takes a limited number of publishers must not get more because two fronts decide at the same moment. So a
// front that lets one in writes, in one transaction, its own record with the publisher counted, and the server's turn, on
// condition that the turn is still the one that its knowledge of the others is as of:
//
//	a publisher was let in at s  ⇒  s's turn was written with the record that counts it
//	turn(s) is as in a view      ⇒  that view counts all whom others have let in at s
//	so what a front compares with the limit is never too low, but for whom a front let in that was without the store or
//	had not heard of the other yet
//
// Records without a turn only ever lower a count, or tell of viewers. Both are under the front's lease: what a dead front had is
// gone with it. Publishers who ask at the same time share a transaction.

// turns are those of the servers that a batch asks for, and what they are as of.
type turns struct {
	servers   []string
	at        map[string]int64 // revisions
	elsewhere map[string]int   // publishers that the other fronts have there
}

// turnsFor answers from the view.
func (c *Cluster) turnsFor(batch []admission) *turns {
	servers := map[string]bool{}
	for _, a := range batch {
		servers[a.server] = true
	}
	t := &turns{servers: slices.Sorted(maps.Keys(servers)), at: map[string]int64{}, elsewhere: map[string]int{}}
	v := c.view
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, s := range t.servers {
		t.at[s] = v.turns[s]
		for name, n := range v.nodes {
			if name != c.o.Self.Name {
				t.elsewhere[s] += n.Placed[s].Publishers
			}
		}
	}
	return t
}

// takeTurns writes this node's record with the turns. It reports whether to count again: another front came first, and
// t is as of its turn now.
func (c *Cluster) takeTurns(ctx context.Context, now basis, record []byte, t *turns, last *shared) (again bool) {
	conds := []store.Cond{{Key: c.keys.incarnation(), Rev: now.incRev}}
	ops := []store.Op{store.OpPut(c.keys.front(c.o.Self.Name), record, now.lease)}
	for _, s := range t.servers {
		conds = append(conds, store.Cond{Key: c.keys.turn(s), Rev: t.at[s]})
		ops = append(ops, store.OpPut(c.keys.turn(s), []byte(c.o.Self.Name), now.lease))
	}
	ok, rev, current, err := c.o.Store.Txn(ctx, conds, ops)
	if ctx.Err() == nil { // whether the store is away is for those to say who wait longer
		c.observeWrite(now.seen, rev, ok, err)
	}
	if errors.Is(err, store.ErrLeaseGone) {
		c.leaseGone(now.lease)
	}
	switch {
	case err != nil:
		last.value = nil // it may be there all the same
	case ok:
		*last = shared{value: record, under: now.lease, of: now.seen.incarnation, at: last.at}
	case current[0].Rev != now.incRev:
		c.wakeWatcher.ring() // another store: nobody's record is in it yet
	default:
		for i, s := range t.servers {
			t.at[s] = current[i+1].Rev
		}
		// Read after the turns, it counts all who were let in up to them.
		t.elsewhere, err = c.readElsewhere(ctx)
		return err == nil
	}
	return false
}

// readElsewhere reads the others' records from the store itself.
func (c *Cluster) readElsewhere(ctx context.Context) (publishers map[string]int, err error) {
	kvs, _, err := c.o.Store.List(ctx, c.keys.fronts())
	if err != nil {
		return nil, err
	}
	publishers = map[string]int{}
	for _, kv := range kvs {
		if c.keys.parse(kv.Key).node == c.o.Self.Name {
			continue
		}
		l, _ := parsePlaced(kv)
		for s, p := range l {
			publishers[s] += p.Publishers
		}
	}
	return publishers, nil
}
