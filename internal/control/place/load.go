package place

import (
	"cmp"
	"math"
)

// Capacity is what a server may carry; 0 is not limited. A set one is never exceeded
// as far as the index can know.
type Capacity struct {
	EgressBPS  float64 // bits per second
	Sessions   int     // "maxconn"
	Publishers int     // "max_publishers"
}

// Load is what a server carries, or what a session would add to it.
type Load struct {
	EgressBPS  float64 // bits per second
	IngressBPS float64 // bits per second
	CPU        float64 // share of all cores, 0 to 1
	Sessions   int
	Publishers int
	Joins      int // in flight: each will burst its GOP cache
}

// Negative is the load that takes l away again; see [Index.Add].
func (l Load) Negative() Load {
	return Load{-l.EgressBPS, -l.IngressBPS, -l.CPU, -l.Sessions, -l.Publishers, -l.Joins}
}

// vec is a load by dimension.
type vec [6]float64

const (
	egress = iota
	ingress
	cpu
	sessions
	publishers
	joins
)

func (l *Load) vec() vec {
	return vec{l.EgressBPS, l.IngressBPS, l.CPU, float64(l.Sessions), float64(l.Publishers), float64(l.Joins)}
}

func (v *vec) load() Load {
	return Load{v[egress], v[ingress], v[cpu], int(v[sessions]), int(v[publishers]), int(v[joins])}
}

func (v *vec) add(o *vec) {
	for d := range v {
		v[d] += o[d]
	}
}

func (v *vec) sub(o *vec) {
	for d := range v {
		v[d] -= o[d]
	}
}

// inverse is 1 over what makes a share of 1 in each dimension.
func (c *Capacity) inverse(weight float64) vec {
	bps := cmp.Or(c.EgressBPS, assumedEgressBPS)
	v := vec{
		bps,
		bps, // nobody states an ingress capacity: interfaces are symmetric
		1,
		float64(cmp.Or(c.Sessions, assumedSessions)),
		float64(cmp.Or(c.Publishers, assumedPublishers)),
		math.Inf(1), // joins have a gate instead
	}
	for d := range v {
		v[d] = 1 / (v[d] * weight)
	}
	return v
}

// limits are the set capacities. The processor is not one: it is shared with others,
// and slow beats refused.
func (c *Capacity) limits() (egressBPS, sessions, publishers float64) {
	inf := math.Inf(1)
	return cmp.Or(c.EgressBPS, inf), cmp.Or(float64(c.Sessions), inf), cmp.Or(float64(c.Publishers), inf)
}
