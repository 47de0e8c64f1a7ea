package cluster

import "weir/internal/stream"

// Subscription delivers changes of one stream's owner or epoch on C. Only the latest is kept for a
// slow reader. C is closed with the Cluster.
type Subscription struct {
	C    <-chan OwnerChange
	c    chan OwnerChange
	view *view
	name stream.Name
}

// OwnerChanges subscribes to changes from now on. Close the subscription when done.
func (c *Cluster) OwnerChanges(name stream.Name) *Subscription {
	ch := make(chan OwnerChange, 1)
	s := &Subscription{C: ch, c: ch, view: c.view, name: name}
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if c.view.closed {
		close(ch)
		return s
	}
	if c.view.subs[name] == nil {
		c.view.subs[name] = map[*Subscription]bool{}
	}
	c.view.subs[name][s] = true
	return s
}

// Close ends the subscription; C gets nothing more.
func (s *Subscription) Close() {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	delete(s.view.subs[s.name], s)
	if len(s.view.subs[s.name]) == 0 {
		delete(s.view.subs, s.name)
	}
}

// publish needs v.mu, which makes it the only sender: after the drain there is room.
func (v *view) publish(name stream.Name, ch OwnerChange) {
	for s := range v.subs[name] {
		select {
		case <-s.c:
		default:
		}
		s.c <- ch
	}
}

// notify publishes what this node knows without the store.
func (v *view) notify(name stream.Name, ch OwnerChange) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ch.Present {
		v.absent.remove(name)
	}
	v.publish(name, ch)
}

func (v *view) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	for _, subs := range v.subs {
		for s := range subs {
			close(s.c)
		}
	}
	clear(v.subs)
}
