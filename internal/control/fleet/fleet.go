package fleet

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// reserveFor is how long a decision counts on top of the reports. Why not
// shorter: a report is up to 1.2 s old, dialling may take 3 s more. Why not
// longer: the session would be counted twice, here and in the report.
const reserveFor = 3 * time.Second

// Members is what the fleet asks of the cluster.
type Members interface {
	Nodes() []cluster.Node
	Pulls(stream.Name) []string
	Known(stream.Name) (cluster.StreamRecord, bool) // from memory
}

// Fleet chooses servers.
type Fleet struct {
	members Members

	mu       sync.Mutex
	rng      *rand.Rand
	reserved place.Reservations
}

// New returns a Fleet over the cluster's members.
func New(m Members, rng *rand.Rand) *Fleet { return &Fleet{members: m, rng: rng} }

// Choice is a chosen server.
type Choice struct {
	Node string
	Addr string // RTMP, host:port
	Why  string
	// Done ends the reservation early when ok is false: nothing came of it.
	Done func(ok bool)
}

// Publisher chooses an origin. The error is a *place.NoServerError.
func (f *Fleet) Publisher(name stream.Name, exclude []string) (Choice, error) {
	return f.choose(func(v *place.View) (place.Decision, error) {
		return place.Publisher(v, &place.PublishRequest{Name: name, Exclude: exclude}, f.rng)
	})
}

// Viewer chooses an edge; without any, a node that takes publishers serves too.
func (f *Fleet) Viewer(name stream.Name, exclude []string) (Choice, error) {
	carriers := f.members.Pulls(name)
	if rec, ok := f.members.Known(name); ok {
		carriers = append(carriers, rec.Owner)
	}
	return f.choose(func(v *place.View) (place.Decision, error) {
		return place.Viewer(v, &place.ViewRequest{Name: name, Exclude: exclude, Carriers: carriers}, f.rng)
	})
}

func (f *Fleet) choose(decide func(*place.View) (place.Decision, error)) (Choice, error) {
	nodes := f.members.Nodes()
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reserved.Expire(now)
	v := view(nodes)
	v.Reserved = &f.reserved
	d, err := decide(&v)
	if err != nil {
		return Choice{}, err
	}
	id := f.reserved.Add(d.Node, d.Demand, now.Add(reserveFor))
	i := slices.IndexFunc(nodes, func(n cluster.Node) bool { return n.Name == d.Node })
	return Choice{Node: d.Node, Addr: nodes[i].Addresses.RTMP, Why: d.Reason(), Done: func(ok bool) {
		if !ok {
			f.mu.Lock()
			f.reserved.Drop(id)
			f.mu.Unlock()
		}
	}}, nil
}

// view is the members as candidates. Where no node is an edge, origins serve.
func view(nodes []cluster.Node) place.View {
	v := place.View{Nodes: make([]place.Candidate, 0, len(nodes))}
	edges := slices.ContainsFunc(nodes, func(n cluster.Node) bool { return n.HasRole("edge") && n.State == cluster.StateUp })
	for _, n := range nodes {
		if n.HasRole("front") {
			v.Deciders++
		}
		v.Nodes = append(v.Nodes, place.Candidate{
			Name: n.Name, Zone: n.Zone,
			Up:        n.State == cluster.StateUp && n.Addresses.RTMP != "",
			Publishes: n.HasRole("origin"),
			Serves:    n.HasRole("edge") || !edges && n.HasRole("origin"),
			Capacity:  place.Capacity{EgressBPS: n.Capacity.EgressBPS, Sessions: n.Capacity.Sessions, Publishers: n.Capacity.Publishers},
			Load: place.Load{EgressBPS: n.Load.EgressBPS, IngressBPS: n.Load.IngressBPS, CPU: n.Load.CPU,
				Sessions: n.Load.Sessions, Publishers: n.Load.Publishers, Joins: n.Load.JoinsInFlight},
			Reported: !n.LoadSeen.IsZero(),
		})
	}
	return v
}
