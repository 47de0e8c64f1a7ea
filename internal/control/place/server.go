package place

import "time"

// State is what a server is ready for.
type State string

const (
	Up    State = "up"
	Drain State = "drain" // finishes what it has
	Maint State = "maint" // taken out by its operator
	Down  State = "down"  // failed its checks
)

// Realm is who can get streams from whom.
type Realm uint8

const (
	Nodes   Realm = iota // pull any stream from each other
	Shared               // foreign servers that do too
	Foreign              // foreign servers, each with its own streams
)

// ID is a server's place in one Index, as long as the server is in it.
type ID int32

// None is no server.
const None ID = -1

// Candidate is one server as its operator, its checks and its reports describe it.
type Candidate struct {
	Name      string
	Zone      string
	State     State // "" is up
	Publishes bool  // takes publishers
	Serves    bool  // serves viewers
	Realm     Realm // whose streams it can serve
	Capacity  Capacity
	// Weight scales what the server gets, against others of 1; 0 is 1. To give it nothing,
	// drain it. See [SlowStart] for those that have just come up.
	Weight   float64
	Load     Load
	Reported bool // Load is the server's own; otherwise it is what this balancer has sent there
}

// SlowStart is the part of its weight that a server gets which has been up for a while,
// of the window in which it warms up: a tenth at first, then in proportion.
func SlowStart(up, window time.Duration) float64 {
	if window <= 0 || up >= window {
		return 1
	}
	return max(warmStart, float64(up)/float64(window))
}

// server is a Candidate with what the index derives from it. What decisions look at comes first.
type server struct {
	likely                             vec // reported, and reserved here and, as it seems, by the other balancers
	inv                                vec // share(d) = total(d) × inv(d)
	maxOut, maxSessions, maxPublishers float64
	cpuPerBPS                          float64 // learnt; 0 while unknown

	total    vec // reported and reserved
	reported vec
	held     vec // Σ of live reservations
	overdue  vec // of them, those that the server should have reported long ago
	live     int32
	first    int32 // reservations, oldest first; -1 for none
	last     int32
	turns    [roles]float64 // by role: what round robin and weights count
	zone     int32
	used     bool
	c        Candidate // without Load; see reported
}

// add is what the demand becomes at this server.
func (s *server) add(demand *vec) vec {
	d := *demand
	d[cpu] += s.cpuPerBPS * d[egress]
	return d
}

// with is the share with a demand added.
func (s *server) with(d *vec) float64 {
	m := (s.likely[egress] + d[egress]) * s.inv[egress]
	m = max(m, (s.likely[ingress]+d[ingress])*s.inv[ingress])
	m = max(m, (s.likely[cpu]+d[cpu]+s.cpuPerBPS*d[egress])*s.inv[cpu])
	m = max(m, (s.likely[sessions]+d[sessions])*s.inv[sessions])
	return max(m, (s.likely[publishers]+d[publishers])*s.inv[publishers])
}

// certain is the share with a demand added, without what is overdue: nobody hears of the ends of those sessions.
func (x *Index) certain(id ID, d *vec) float64 {
	s := &x.servers[id]
	if s.overdue == (vec{}) {
		return s.with(d)
	}
	m, add := 0.0, s.add(d)
	for i := range joins {
		m = max(m, (s.likely[i]-x.others()*s.overdue[i]+add[i])*s.inv[i])
	}
	return m
}

// gated says why a session had better go elsewhere while there is an elsewhere: joins in
// flight, or what the other balancers have probably sent and would have the server refuse it. "" if nothing.
func (s *server) gated(d *vec) Word {
	switch {
	case d[joins] > 0 && s.likely[joins]+d[joins] > joinGate*s.c.Weight:
		return ManyJoins
	case s.likely[egress]+d[egress] > s.maxOut || s.likely[sessions]+d[sessions] > s.maxSessions:
		return LikelyFull
	}
	return ""
}

// full names the set capacity that the demand would exceed; "" if none.
func (s *server) full(d *vec) Word {
	with := func(dim int) float64 { return s.total[dim] - s.overdue[dim] + d[dim] }
	switch {
	case with(publishers) > s.maxPublishers && d[publishers] > 0:
		return FullPublishers
	case with(sessions) > s.maxSessions:
		return FullSessions
	case with(egress) > s.maxOut:
		return FullEgress
	}
	return ""
}

// unfit names what keeps a server out of a role, whatever its load.
func (s *server) unfit(r role) Word {
	switch s.c.State {
	case Drain:
		return Draining
	case Maint:
		return InMaint
	case Down:
		return NotUp
	}
	switch r {
	case toPublish:
		if !s.c.Publishes {
			return WrongRole
		}
		return ""
	case toView:
		if s.c.Realm != Nodes {
			return CannotGet
		}
	case toViewShared:
		if s.c.Realm != Shared {
			return CannotGet
		}
	case toViewForeign:
		if s.c.Realm == Nodes {
			return CannotGet
		}
	}
	if !s.c.Serves {
		return WrongRole
	}
	return ""
}
