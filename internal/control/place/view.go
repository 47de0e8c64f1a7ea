package place

import (
	"math/rand/v2"

	"weir/internal/stream"
)

// View is the fleet as one decision sees it.
type View struct {
	Nodes []Candidate
	// Deciders is how many balancers decide on reports of the same age. More than one:
	// the best would be everybody's best, so choices are made between two drawn at random.
	Deciders int
	// Reserved are this balancer's own decisions of late; may be nil.
	Reserved *Reservations
	// Ring of all servers' names, for hashing; built for each decision if nil.
	Ring *Ring
}

// Candidate is one server.
type Candidate struct {
	Name      string
	Zone      string
	Up        bool // healthy, and not draining
	Publishes bool // takes publishers
	Serves    bool // serves viewers
	Capacity  Capacity
	Load      Load
	Reported  bool // Load is the server's own; otherwise it is what this balancer has sent there
}

// Capacity is what a server may carry; 0 is not limited. A set one is never exceeded.
type Capacity struct {
	EgressBPS  float64 // bits per second
	Sessions   int
	Publishers int
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

func (l Load) plus(o Load) Load {
	return Load{l.EgressBPS + o.EgressBPS, l.IngressBPS + o.IngressBPS, l.CPU + o.CPU,
		l.Sessions + o.Sessions, l.Publishers + o.Publishers, l.Joins + o.Joins}
}

// PublishRequest asks for an origin.
type PublishRequest struct {
	Name       stream.Name
	BitrateBPS float64  // predicted; DefaultBitrateBPS if 0
	Exclude    []string // tried and failed
	Sticky     string   // had the stream a moment ago, within the grace; preferred while it is eligible
}

// ViewRequest asks for an edge.
type ViewRequest struct {
	Name       stream.Name
	BitrateBPS float64
	Exclude    []string
	Carriers   []string // servers that have the stream: they pull it, or own it
}

// Publisher places a publisher by the default policy.
func Publisher(v *View, req *PublishRequest, rng *rand.Rand) (Decision, error) {
	return leastLoad(v, req, rng)
}

// Viewer places a viewer: by the default policy, or by hashing if no server's load is known.
func Viewer(v *View, req *ViewRequest, rng *rand.Rand) (Decision, error) {
	for i := range v.Nodes {
		if v.Nodes[i].Reported {
			return pullAware(v, req, rng)
		}
	}
	return hashed(v, req)
}
