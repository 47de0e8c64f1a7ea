package cluster

import (
	"context"
	"slices"
)

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
	turns := c.turnsFor(batch)
	for try := 0; ; try++ {
		now := c.basis()
		if now.lease == 0 {
			break
		}
		if try == admitTries { // others came first each time: most probably it is full by now
			turnAway(batch)
			return
		}
		own := now.placed()
		if own == nil {
			own = map[string]Placed{}
		}
		if batch = count(batch, own, turns.elsewhere); len(batch) == 0 {
			return
		}
		if !c.takeTurns(ctx, now, encode(own), turns, last) {
			break
		}
	}
	for _, a := range batch {
		a.granted()
		a.answer <- nil
	}
	c.wakeSharer.ring() // what was granted without the store is still to be written
}

// count adds the publishers to what this node has, and turns those away that a server has no room for beside the others'.
func count(batch []admission, own map[string]Placed, elsewhere map[string]int) (let []admission) {
	return slices.DeleteFunc(batch, func(a admission) bool {
		p := own[a.server]
		if p.Publishers+elsewhere[a.server] >= a.limit {
			turnAway([]admission{a})
			return true
		}
		p.Publishers++
		p.Sessions++
		own[a.server] = p
		return false
	})
}

func turnAway(batch []admission) {
	for _, a := range batch {
		a.answer <- &FullError{a.server}
	}
}
