package fleet

import (
	"slices"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
)

// member is a server as the index has it: a node, or a foreign one.
type member struct {
	c        place.Candidate // without Load
	id       place.ID
	addr     string // RTMP
	http     string
	public   string // RTMP, for clients
	foreign  bool
	announce Announce
	process  string          // which process of a node, which backend of a name: another one begins anew
	up       time.Duration   // since when
	report   time.Time       // the last one that is in
	b        *backend        // of a foreign one
	others   place.Load      // what other fronts have there, as they say
	limit    int             // of publishers of all fronts; 0: none
	coming   []*coming       // publishers on their way there, oldest first
	counted  place.Load      // as told to the index
	pending  []time.Duration // when those were chosen whose session has not begun, oldest first
}

// warm is the up of a server that was there before this process.
const warm = -1 << 62

// speaks reports whether the server can be spoken to by RTMP or by HTTP.
func (m *member) speaks(http bool) bool {
	if http {
		return m.http != ""
	}
	return m.addr != ""
}

// fresh reports whether the server is there for sure: a node whose reports still come.
func (m *member) fresh(now time.Duration) bool {
	return m.foreign || time.Since(m.report) < freshFor
}

// sync makes the index what the members and the backends are. It needs f.mu.
func (f *Fleet) sync(now time.Duration) {
	first := f.synced < 0
	f.synced, f.stale = now, false
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
		m := f.member(n.Name, n.Process, now, first)
		if m.foreign {
			m.foreign, m.b = false, nil // a node has come under a backend's name
		}
		m.addr, m.http, m.public = n.Addresses.RTMP, n.Addresses.HTTP, n.Addresses.Public
		f.set(m, c, n.Weight, load(n), now)
		if !n.LoadSeen.IsZero() && !n.LoadSeen.Equal(m.report) {
			m.report = n.LoadSeen
			f.index.Report(m.id, load(n), n.LoadSeen.Sub(f.start)-settled)
		}
	}
	f.syncBackends(nodes, listed, now, first)
	for name := range f.known {
		if !listed[name] {
			f.index.Remove(name)
			f.recent.forget(f.known[name].id)
			delete(f.known, name)
		}
	}
	f.deaf = [2][]place.ID{}
	for _, m := range f.known {
		for i, http := range []bool{false, true} {
			if !m.speaks(http) {
				f.deaf[i] = append(f.deaf[i], m.id)
			}
		}
	}
	f.index.SetDeciders(fronts)
}

// member finds a server by name, or adds it. It needs f.mu.
func (f *Fleet) member(name, process string, now time.Duration, first bool) *member {
	m := f.known[name]
	if m != nil && m.process == process {
		return m
	}
	if m == nil {
		m = &member{id: place.None}
		f.known[name] = m
	}
	m.process, m.up = process, now
	if first {
		m.up = warm
	}
	return m
}

// set brings the index up to date with a description. It needs f.mu.
func (f *Fleet) set(m *member, c place.Candidate, weight float64, l place.Load, now time.Duration) {
	if was := m.c.State; m.id != place.None && c.State == place.Up && (was == place.Down || was == place.Maint) {
		m.up = now // it has come back: it warms up
	}
	if weight <= 0 {
		weight = 1
	}
	c.Weight = weight * place.SlowStart(now-m.up, f.o.SlowStart)
	if m.id == place.None || m.c != c {
		m.c = c
		c.Load = l
		m.id = f.index.Set(c)
	}
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
	case n.State != cluster.StateUp:
		c.State = place.Down
	}
	return c
}

func load(n *cluster.Node) place.Load {
	return place.Load{EgressBPS: n.Load.EgressBPS, IngressBPS: n.Load.IngressBPS, CPU: n.Load.CPU,
		Sessions: n.Load.Sessions, Publishers: n.Load.Publishers, Joins: n.Load.JoinsInFlight}
}
