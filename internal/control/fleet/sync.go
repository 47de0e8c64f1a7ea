package fleet

import (
	"slices"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
)

// member is a node as the index has it.
type member struct {
	c      place.Candidate // without Load
	id     place.ID
	addr   string
	seen   time.Duration // first
	report time.Time     // the last one that is in
}

// sync makes the index what the members are. It needs f.mu.
func (f *Fleet) sync(now time.Duration) {
	f.synced = now
	nodes := f.members.Nodes()
	edges := slices.ContainsFunc(nodes, func(n cluster.Node) bool { return n.HasRole("edge") && n.State == cluster.StateUp })
	fronts := 0
	listed := make(map[string]bool, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		listed[n.Name] = true
		if n.HasRole("front") {
			fronts++
		}
		c := candidate(n, edges)
		m := f.known[n.Name]
		if m == nil {
			m = &member{seen: now}
			f.known[n.Name] = m
		}
		c.Weight = place.SlowStart(now-m.seen, f.o.SlowStart)
		m.addr = n.Addresses.RTMP
		if m.c != c {
			m.c = c
			c.Load = load(n)
			m.id = f.index.Set(c)
		}
		if !n.LoadSeen.IsZero() && !n.LoadSeen.Equal(m.report) {
			m.report = n.LoadSeen
			f.index.Report(m.id, load(n), n.LoadSeen.Sub(f.start)-settled)
		}
	}
	for name := range f.known {
		if !listed[name] {
			f.index.Remove(name)
			f.recent.forget(f.known[name].id)
			delete(f.known, name)
		}
	}
	f.index.SetDeciders(fronts)
}

// candidate is a node as package place sees it. Where no node is an edge, origins serve.
func candidate(n *cluster.Node, edges bool) place.Candidate {
	c := place.Candidate{
		Name: n.Name, Zone: n.Zone, State: place.Up,
		Publishes: n.HasRole("origin"),
		Serves:    n.HasRole("edge") || !edges && n.HasRole("origin"),
		Capacity:  place.Capacity{EgressBPS: n.Capacity.EgressBPS, Sessions: n.Capacity.Sessions, Publishers: n.Capacity.Publishers},
		Reported:  !n.LoadSeen.IsZero(),
	}
	switch {
	case n.State == cluster.StateDraining || n.State == cluster.StateDrained:
		c.State = place.Drain
	case n.State != cluster.StateUp || n.Addresses.RTMP == "":
		c.State = place.Down
	}
	return c
}

func load(n *cluster.Node) place.Load {
	return place.Load{EgressBPS: n.Load.EgressBPS, IngressBPS: n.Load.IngressBPS, CPU: n.Load.CPU,
		Sessions: n.Load.Sessions, Publishers: n.Load.Publishers, Joins: n.Load.JoinsInFlight}
}
