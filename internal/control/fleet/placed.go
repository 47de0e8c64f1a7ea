package fleet

import (
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
	f.index.Expire(time.Since(f.start))
	b := f.backends
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[string]cluster.Placed{}
	for name, x := range b.all {
		l := x.own()
		if m := f.known[name]; m != nil && m.b == x {
			held := f.index.Held(m.id)
			l.EgressBPS += held.EgressBPS
			l.IngressBPS += held.IngressBPS
			l.Sessions += max(held.Sessions-m.asking, 0)
			l.Publishers += m.arriving
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
	return max(x.Capacity.Publishers-strangers, 1) // a full one is not chosen
}

// coming is a publisher that a foreign server was chosen for, until it is there. However long it takes: servers
// are not to get more because others are slow. Fleet.mu guards it.
type coming struct {
	m       *member
	granted bool
	over    bool
}

// comes counts a publisher that comes, or has the others asked first whether it may. It needs f.mu.
func (f *Fleet) comes(c *Choice, m *member) *coming {
	p := &coming{m: m}
	if m.limit == 0 || f.o.Admit == nil {
		p.granted = true
		m.arriving++
		return p
	}
	m.asking++
	c.limit, c.granted = m.limit, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !p.granted && !p.over {
			p.granted = true
			m.asking--
			m.arriving++
		}
	}
	return p
}

// end: it is there, and counted there, or it will not be.
func (p *coming) end() {
	switch {
	case p == nil || p.over:
		return
	case p.granted:
		p.m.arriving--
	default:
		p.m.asking--
	}
	p.over = true
}
