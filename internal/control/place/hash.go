package place

import (
	"cmp"
	"math"
	"slices"

	"weir/internal/stream"
)

// hashed gives a viewer to the server that the stream's name hashes to, and from
// one that is above (1+ε) of the mean on to the next of the stream's own sequence.
//
// Wins: knows only the list of servers and how many sessions this balancer has sent to each, and
// still all balancers agree where a stream is, within the bound ⌈(1+ε)·m/n⌉.
//
// Loses: about twice the fewest possible pulls, since a stream that overflowed stays spread;
// counts sessions, whatever their bitrates; and bounds only this balancer's own.
//
// Probing goes by double hashing, a new point of the ring each time. Walking on to
// the next clockwise instead passes each overload on to one neighbour, in cascades: some
// three times the pulls.
func hashed(v *View, req *ViewRequest) (Decision, error) {
	bitrate := cmp.Or(req.BitrateBPS, DefaultBitrateBPS)
	demand := Load{EgressBPS: bitrate, IngressBPS: bitrate, Sessions: 1, Joins: 1}
	var rejected []Rejection
	ring := v.Ring
	if ring == nil {
		names := make([]string, len(v.Nodes))
		for i := range v.Nodes {
			names[i] = v.Nodes[i].Name
		}
		ring = NewRing(names)
	}
	fit, total := 0, 1 // with this session
	for i := range v.Nodes {
		c := &v.Nodes[i]
		if why := unfitHashed(v, c, req, demand); why != "" {
			rejected = reject(rejected, v, c, why, 0)
			continue
		}
		fit++
		total += c.Load.Sessions + v.Reserved.Of(c.Name).Sessions
	}
	if fit == 0 {
		return Decision{}, &NoServerError{rejected}
	}
	bound := int(math.Ceil((1 + epsilon) * float64(total) / float64(fit)))
	var chosen *Candidate
	// Somebody fit is below the bound, which is above the mean: the ring finds one.
	ring.Pick(req.Name, func(name string) bool {
		i := slices.IndexFunc(v.Nodes, func(c Candidate) bool { return c.Name == name })
		if i < 0 || unfitHashed(v, &v.Nodes[i], req, demand) != "" ||
			v.Nodes[i].Load.Sessions+v.Reserved.Of(name).Sessions >= bound {
			return false
		}
		chosen = &v.Nodes[i]
		return true
	})
	if chosen == nil { // a ring of other servers
		return Decision{}, &NoServerError{rejected}
	}
	return Decision{
		Node: chosen.Name, Why: Hashed, Demand: demand, Rejected: rejected,
		Share: share(chosen, chosen.Load.plus(v.Reserved.Of(chosen.Name)).plus(demand)),
	}, nil
}

func unfitHashed(v *View, c *Candidate, req *ViewRequest, demand Load) Word {
	if why := unfit(c, c.Serves, req.Exclude); why != "" {
		return why
	}
	return overfull(c, c.Load.plus(v.Reserved.Of(c.Name)).plus(demand))
}

// Ring is a consistent-hash ring: a server more or less moves only its own share of names.
type Ring struct {
	points []ringPoint // sorted
	names  []string
}

type ringPoint struct {
	at   uint64
	node int32 // index in names
}

// NewRing builds the ring of some servers, in whatever order.
func NewRing(names []string) *Ring {
	r := &Ring{names: slices.Sorted(slices.Values(names)), points: make([]ringPoint, 0, ringPoints*len(names))}
	for i, n := range r.names {
		h := hash(0, n)
		for range ringPoints {
			h = mix(h + 0x9e3779b97f4a7c15)
			r.points = append(r.points, ringPoint{h, int32(i)})
		}
	}
	slices.SortFunc(r.points, func(a, b ringPoint) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.node, b.node))
	})
	return r
}

// Pick returns the first server of the name's sequence that has room, or the first of all
// if none has; "" on an empty ring.
func (r *Ring) Pick(name stream.Name, room func(string) bool) string {
	if len(r.names) == 0 {
		return ""
	}
	at := hash(hash(1, name.App), name.Stream)
	step := hash(hash(2, name.App), name.Stream) | 1 // odd: comes by every point before it repeats
	first := r.after(at)
	for range 4 * len(r.names) { // misses a server once in some fifty times; those are tried below
		if n := r.names[r.after(at)]; room(n) {
			return n
		}
		at += step
	}
	for i := range r.names {
		if n := r.names[(first+i)%len(r.names)]; room(n) {
			return n
		}
	}
	return r.names[first]
}

// after is the server of the first point at or after a position, around the end.
func (r *Ring) after(at uint64) int {
	i, _ := slices.BinarySearchFunc(r.points, at, func(p ringPoint, at uint64) int { return cmp.Compare(p.at, at) })
	return int(r.points[i%len(r.points)].node)
}

// hash is FNV-1a with a finalizer: FNV alone leaves the high bits of short names alike. It must
// never change: balancers of different versions have to agree.
func hash(seed uint64, s string) uint64 {
	h := uint64(0xcbf29ce484222325) ^ mix(seed)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return mix(h)
}

// mix is the finalizer of SplitMix64.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
