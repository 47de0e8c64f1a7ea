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

// FullError: the other fronts have let in as many publishers as the server takes.
type FullError struct{ Server string }

func (e *FullError) Error() string {
	return "cluster: " + e.Server + " has all the publishers that it takes"
}

// admission is a publisher that is to be let in.
type admission struct {
	server  string
	limit   int
	granted func()
	answer  chan error
}

// Admit lets a publisher in at a server that is no node, if with it all fronts have at most limit there. Before the
// record is written next granted is called, from another goroutine; from then on [Cluster.SharePlaced] is to count it. A lone front
// is not asked, and without the store what is known has to do: then it is granted at once. The error is a *FullError.
func (c *Cluster) Admit(server string, limit int, granted func()) error {
	c.mu.Lock()
	asks := c.place != nil && c.lease != 0
	c.mu.Unlock()
	if asks && !c.health.isDown() && c.otherFronts() {
		a := admission{server, limit, granted, make(chan error, 1)}
		select {
		case c.asked <- a:
			return <-a.answer
		case <-c.ctx.Done():
		}
	}
	granted()
	return nil
}

// admit answers a batch. Whatever keeps the store from answering keeps no publisher out.
func (c *Cluster) admit(batch []admission, last *shared) {
	ctx, cancel := context.WithTimeout(c.ctx, admitTimeout)
	defer cancel()
	servers := map[string]bool{}
	for _, a := range batch {
		servers[a.server] = true
	}
	order := slices.Sorted(maps.Keys(servers))
	elsewhere, turns := c.view.elsewhere(c.o.Self.Name, order)
	for try := 0; ; try++ {
		c.mu.Lock()
		placed, lease, before, incRev := c.place, c.lease, c.seen, c.incRev
		c.mu.Unlock()
		if lease == 0 {
			break
		}
		own := placed()
		if own == nil {
			own = map[string]Placed{}
		}
		batch = slices.DeleteFunc(batch, func(a admission) bool {
			p := own[a.server]
			if try == admitTries || p.Publishers+elsewhere[a.server] >= a.limit { // others came first each time: most probably it is full by now
				a.answer <- &FullError{a.server}
				return true
			}
			p.Publishers++
			p.Sessions++
			own[a.server] = p
			return false
		})
		if len(batch) == 0 {
			return
		}
		conds := []store.Cond{{Key: c.keys.incarnation(), Rev: incRev}}
		value := encode(own)
		ops := []store.Op{store.OpPut(c.keys.front(c.o.Self.Name), value, lease)}
		for _, s := range order {
			conds = append(conds, store.Cond{Key: c.keys.turn(s), Rev: turns[s]})
			ops = append(ops, store.OpPut(c.keys.turn(s), []byte(c.o.Self.Name), lease))
		}
		ok, rev, current, err := c.o.Store.Txn(ctx, conds, ops)
		if ctx.Err() == nil { // whether the store is away is for those to say who wait longer
			c.observeWrite(before, rev, ok, err)
		}
		if errors.Is(err, store.ErrLeaseGone) {
			c.leaseGone(lease)
		}
		if err == nil && !ok && current[0].Rev != incRev {
			c.wakeWatcher.ring() // another store: nobody's record is in it yet
			break
		}
		if err == nil && !ok {
			for i, s := range order {
				turns[s] = current[i+1].Rev
			}
			// Read after the turns, it counts all who were let in up to them.
			elsewhere, err = c.readElsewhere(ctx)
		}
		if err != nil {
			last.value = nil // it may be there all the same
			break
		}
		if ok {
			*last = shared{value: value, under: lease, of: before.incarnation, at: last.at}
			break
		}
	}
	for _, a := range batch {
		a.granted()
		a.answer <- nil
	}
	c.wakeSharer.ring() // what was granted without the store is still to be written
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
