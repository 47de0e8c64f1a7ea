package fleet

import (
	"slices"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
)

// Foreign servers have no other witness than the fronts: what each has there, and has decided upon, it tells
// the others ([Fleet.Placed]), and counts with what they tell.

// elsewhere is what the other fronts have at backends, by name, as they say.
func (f *Fleet) elsewhere(nodes []cluster.Node) map[string]place.Load {
	all := map[string]place.Load{}
	for i := range nodes {
		n := &nodes[i]
		heard := n.LoadSeen
		if n.PlacedSeen.After(heard) {
			heard = n.PlacedSeen
		}
		if n.Name == f.o.Self || len(n.Placed) == 0 || time.Since(heard) >= believeFor {
			continue
		}
		for name, p := range n.Placed {
			l := all[name]
			l.EgressBPS += p.EgressBPS
			l.IngressBPS += p.IngressBPS
			l.Sessions += p.Sessions
			l.Publishers += p.Publishers
			all[name] = l
		}
	}
	return all
}

// Placed is what this front has at backends, for the others to know: its sessions, and those that it has decided upon. A publisher that
// they have yet to let in is not in it.
func (f *Fleet) Placed() map[string]cluster.Placed {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Since(f.start)
	f.index.Expire(now)
	b := f.backends
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[string]cluster.Placed{}
	for name, x := range b.all {
		l := x.own()
		if m := f.known[name]; m != nil && m.b == x {
			held := f.index.Held(m.id)
			arriving, asking := m.onTheWay(now)
			l.EgressBPS += held.EgressBPS
			l.IngressBPS += held.IngressBPS
			l.Sessions += max(held.Sessions-asking, arriving)
			l.Publishers += arriving
		}
		if l.Sessions+l.Publishers == 0 || len(out) >= maxShared {
			continue
		}
		out[name] = cluster.Placed{Sessions: l.Sessions, Publishers: l.Publishers, EgressBPS: float64(int64(l.EgressBPS)), IngressBPS: float64(int64(l.IngressBPS))}
	}
	return out
}

// limit is how many publishers all fronts together may have at the backend: what it takes, less those who came to it past
// the fronts. It needs Backends.mu.
func (x *backend) limit(others *place.Load) int {
	if x.Capacity.Publishers == 0 {
		return 0
	}
	strangers := 0
	if x.Reported {
		strangers = max(x.Measured.Publishers-x.ownThen.Publishers-others.Publishers, 0)
	}
	// 0 would mean that it takes any number. One that strangers have filled is full by its load, so it is not chosen.
	return max(x.Capacity.Publishers-strangers, 1)
}

// coming is a publisher that a foreign server was chosen for, until it is there: for longer than its reservation if it has to,
// so that a server that is slow does not get more. Fleet.mu guards it.
type coming struct {
	m       *member
	at      time.Duration
	granted bool // the other fronts have let it in
}

// comes counts a publisher that comes, or has the others asked first whether it may. It needs f.mu.
func (f *Fleet) comes(c *Choice, m *member, now time.Duration) *coming {
	p := &coming{m: m, at: now, granted: m.limit == 0 || f.o.Admit == nil}
	m.onTheWay(now)
	m.coming = append(m.coming, p)
	if !p.granted {
		c.limit, c.granted = m.limit, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			p.granted = true
		}
	}
	return p
}

// onTheWay counts the publishers on their way to a server, and those that have yet to be let in, and forgets those who have been
// for too long. It needs Fleet.mu.
func (m *member) onTheWay(now time.Duration) (arriving, asking int) {
	m.coming = slices.DeleteFunc(m.coming, func(p *coming) bool { return p.at <= now-comeFor })
	for _, p := range m.coming {
		if p.granted {
			arriving++
		} else {
			asking++
		}
	}
	return arriving, asking
}

// end: it is there, and counted there, or it will not be. It needs Fleet.mu.
func (p *coming) end() {
	if p != nil {
		p.m.coming = slices.DeleteFunc(p.m.coming, func(o *coming) bool { return o == p })
	}
}
