package fleet

import (
	"strconv"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
)

// never is before every reservation.
const never = time.Duration(-1 << 62)

// syncBackends makes the index what the backends are. It needs f.mu.
func (f *Fleet) syncBackends(nodes []cluster.Node, listed map[string]bool, now time.Duration, first bool) {
	f.foreign = 0
	f.traffic = traffic{}
	for i := range nodes {
		f.traffic.node(&nodes[i])
	}
	others := f.elsewhere(nodes)
	b := f.backends
	b.mu.RLock()
	defer b.mu.RUnlock()
	for name, x := range b.all {
		if listed[name] {
			continue // a node came later and has the name
		}
		listed[name] = true
		c := x.candidate()
		if c.Serves {
			f.foreign++
		}
		m := f.member(name, strconv.FormatUint(x.ID, 36), now, first)
		m.foreign, m.b = true, x
		m.addr, m.http, m.public, m.announce = x.RTMP, x.HTTP, x.Public, x.Announce
		m.others = others[name]
		m.limit = x.limit(&m.others)
		l := x.load(m.others)
		f.set(m, c, x.Weight, l, now)
		f.traffic.backend(x, &l)
		m.counted = l
		f.index.Report(m.id, l, m.confirmed(x.meter.since, f.start, now))
	}
}

// confirmed is up to when reservations are in what a foreign server is counted with. All are for this node's own sessions,
// whose rates are metered each second, however rarely the server itself is asked: waiting for its
// report would count them twice until then. Who came or went before the metered second is wholly in its rate or not at
// all. Those whose session has not begun are in no count.
func (m *member) confirmed(since, start time.Time, now time.Duration) time.Duration {
	if since.IsZero() {
		return never
	}
	until := since.Sub(start)
	for len(m.pending) > 0 && m.pending[0] <= now-reserveFor {
		m.pending = m.pending[1:] // expired
	}
	if len(m.pending) > 0 {
		until = min(until, m.pending[0]-1)
	}
	return until
}

// count tells the index what the counters of a foreign server say now. It needs f.mu.
func (f *Fleet) count(m *member) {
	f.backends.mu.RLock()
	l := m.b.load(m.others)
	f.backends.mu.RUnlock()
	l.EgressBPS, l.IngressBPS, l.CPU = m.counted.EgressBPS, m.counted.IngressBPS, m.counted.CPU
	m.counted = l
	f.index.Report(m.id, l, never)
}

// candidate is a backend as package place sees it. It needs Backends.mu.
func (x *backend) candidate() place.Candidate {
	c := place.Candidate{
		Name: x.Name, Zone: x.Zone, State: x.State(), Realm: place.Foreign,
		Publishes: x.Publishes, Serves: x.Serves, Capacity: x.Capacity, Reported: true,
	}
	if x.Backend.Shared {
		c.Realm = place.Shared
	}
	return c
}
