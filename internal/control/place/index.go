package place

import (
	"cmp"
	"slices"
	"time"
)

// Options of an Index.
type Options struct {
	Publish Policy // for publishers; "" is least_load
	View    Policy // for viewers; "" is pull_aware
	// Deciders is how many balancers decide on reports of the same age and do not know of each other's
	// reservations; 0 is 1. Of more, each takes its own reservations for a sample of all, and
	// as the best would be everybody's best, least_load chooses between two drawn at random.
	Deciders int
}

// Index is the fleet as decisions see it. See the package's comment for its
// invariants and its owner's duties.
type Index struct {
	policy   [roles]Policy // by role
	deciders int

	servers []server
	share   []float64 // by ID
	ids     map[string]ID
	unused  []ID
	known   int // servers whose load is reported

	zones []string
	pools [roles][]pool // by role, zone
	turn  [roles]float64

	reservations         []reservation
	free, oldest, newest int32 // lists of reservations; -1 for none
	joining              int32 // the first of oldest's list whose join is in flight; -1 for none
	lateFirst, lateLast  int32 // those that are overdue
	lates                int   // of these, with those that have ended since
	reserved             int   // live ones

	ring    *Ring
	ringIDs []ID // by the ring's number
}

// NewIndex returns an Index of no servers. The error is a *PolicyError.
func NewIndex(o Options) (*Index, error) {
	p, err := checked(o.Publish, PublisherPolicies())
	if err != nil {
		return nil, err
	}
	v, err := checked(o.View, ViewerPolicies())
	if err != nil {
		return nil, err
	}
	return &Index{policy: [roles]Policy{p, v, v, v}, deciders: o.Deciders, ids: map[string]ID{}, free: -1, oldest: -1, joining: -1, lateFirst: -1}, nil
}

// SetDeciders changes how many balancers there are.
func (x *Index) SetDeciders(n int) { x.deciders = n }

// Len counts the servers.
func (x *Index) Len() int { return len(x.ids) }

// Lookup finds a server by name; None, false if there is none.
func (x *Index) Lookup(name string) (ID, bool) {
	if id, ok := x.ids[name]; ok {
		return id, true
	}
	return None, false
}

// Name of a server.
func (x *Index) Name(id ID) string { return x.servers[id].c.Name }

// Load is what a server is counted with, reservations included.
func (x *Index) Load(id ID) Load { return x.servers[id].total.load() }

// Share is that load as a part of the server's capacity, of whatever binds first.
func (x *Index) Share(id ID) float64 { return x.share[id] }

// Set adds a server or changes what is known of it; its reservations stay. Names are unique.
func (x *Index) Set(c Candidate) ID {
	id, ok := x.ids[c.Name]
	switch {
	case ok:
		x.leave(id)
	case len(x.unused) > 0:
		id = x.unused[len(x.unused)-1]
		x.unused = x.unused[:len(x.unused)-1]
	default:
		id = ID(len(x.servers))
		x.servers = append(x.servers, server{first: -1, last: -1})
		x.share = append(x.share, 0)
	}
	s := &x.servers[id]
	if !ok {
		*s = server{first: -1, last: -1, used: true, turns: x.turn} // the end of the queue
		x.ids[c.Name] = id
		x.ring = nil
	}
	if s.c.Reported {
		x.known--
	}
	if c.Reported {
		x.known++
	}
	c.Weight = cmp.Or(max(c.Weight, 0), 1)
	s.inv = c.Capacity.inverse(c.Weight)
	s.maxOut, s.maxSessions, s.maxPublishers = c.Capacity.limits()
	s.zone = x.zone(c.Zone)
	s.reported = c.Load.vec()
	c.Load = Load{}
	s.c = c
	x.derive(id)
	x.join(id)
	return id
}

// Remove takes a server out, with its reservations.
func (x *Index) Remove(name string) {
	id, ok := x.ids[name]
	if !ok {
		return
	}
	x.leave(id)
	s := &x.servers[id]
	for s.first >= 0 {
		x.pop(s)
	}
	if s.c.Reported {
		x.known--
	}
	*s = server{first: -1, last: -1}
	delete(x.ids, name)
	x.unused = append(x.unused, id)
	x.ring = nil
}

// SetState changes a server's state.
func (x *Index) SetState(id ID, st State) {
	if s := &x.servers[id]; s.c.State != st {
		x.leave(id)
		s.c.State = st
		x.join(id)
	}
}

// SetWeight changes a server's weight; see Candidate.
func (x *Index) SetWeight(id ID, w float64) {
	s := &x.servers[id]
	s.c.Weight = cmp.Or(max(w, 0), 1)
	s.inv = s.c.Capacity.inverse(s.c.Weight)
	x.changed(id)
}

// Report replaces a server's load by what it says of itself as of a time, and confirms the reservations
// up to then. It teaches what the server's processor spends on a bit.
func (x *Index) Report(id ID, l Load, asOf time.Duration) {
	s := &x.servers[id]
	if !s.c.Reported {
		s.c.Reported = true
		x.known++
	}
	s.reported = l.vec()
	if l.CPU > 0 && l.EgressBPS >= cpuKnownBPS {
		now := l.CPU / l.EgressBPS
		if s.cpuPerBPS > 0 {
			now = s.cpuPerBPS + cpuBlend*(now-s.cpuPerBPS)
		}
		s.cpuPerBPS = now
	}
	x.settle(s, asOf)
	x.changed(id)
}

// Add counts a session that has come, or with [Load.Negative] one that has gone, at a server
// that does not report.
func (x *Index) Add(id ID, l Load) {
	s := &x.servers[id]
	v := l.vec()
	s.reported.add(&v)
	x.changed(id)
}

// zone numbers a zone.
func (x *Index) zone(name string) int32 {
	if i := slices.Index(x.zones, name); i >= 0 {
		return int32(i)
	}
	x.zones = append(x.zones, name)
	for r := range x.pools {
		x.pools[r] = append(x.pools[r], pool{})
	}
	return int32(len(x.zones) - 1)
}

// derive computes what follows from the loads of a server.
func (x *Index) derive(id ID) {
	s := &x.servers[id]
	s.total = s.reported
	s.total.add(&s.held)
	for d := range s.total {
		s.total[d] = max(s.total[d], 0) // a report older than the departures that were counted
		s.likely[d] = max(s.reported[d]+x.others()*s.held[d], 0)
	}
	var none vec
	x.share[id] = s.with(&none)
}

// others is how often a reservation counts: once for each decider.
func (x *Index) others() float64 { return float64(max(x.deciders, 1)) }

// join puts a server into the pools that it is fit for.
func (x *Index) join(id ID) {
	s := &x.servers[id]
	for r := range roles {
		if s.unfit(r) == "" {
			p := &x.pools[r][s.zone]
			p.insert(id, x.key(r, id))
			p.sum += x.share[id]
			p.sessions += s.total[sessions]
		}
	}
}

// leave takes it out of them.
func (x *Index) leave(id ID) {
	s := &x.servers[id]
	for r := range x.pools {
		if p := &x.pools[r][s.zone]; p.has(id) {
			p.remove(id)
			p.sum -= x.share[id]
			p.sessions -= s.total[sessions]
		}
	}
}

// changed moves a server to where its load now belongs.
func (x *Index) changed(id ID) {
	s := &x.servers[id]
	share, n := x.share[id], s.total[sessions]
	x.derive(id)
	for r := range roles {
		p := &x.pools[r][s.zone]
		if !p.has(id) {
			continue
		}
		p.sum += x.share[id] - share
		p.sessions += s.total[sessions] - n
		p.update(id, x.key(r, id))
		if p.changes++; p.changes >= sumAnew {
			p.changes, p.sum = 0, 0
			for _, e := range p.heap {
				p.sum += x.share[e.id]
			}
		}
	}
}
