package node

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/front"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// placer is the fleet as the front sees it.
type placer struct {
	f       *fleet.Fleet
	changed func() // what this front has at backends
}

func newPlacer(c *cluster.Cluster, o fleet.Options) (placer, error) {
	o.Admit = c.Admit
	f, err := fleet.NewWith(c, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), o)
	if err == nil {
		c.SharePlaced(f.Placed)
	}
	return placer{f, c.PlacedChanged}, err
}

// placement is the configuration's section place as the fleet has it.
func placement(cfg *config.Config, b *fleet.Backends) fleet.Options {
	sticky := cfg.Place.Sticky
	if sticky == 0 {
		sticky = -1 // none, not the default
	}
	return fleet.Options{
		Self: cfg.Node.Name, Zone: cfg.Node.Zone, Backends: b,
		Publish: place.Policy(cfg.Place.Publishers), View: place.Policy(cfg.Place.Viewers),
		SlowStart: cfg.Place.SlowStart, Sticky: sticky, SourceSticky: cfg.Place.SourceSticky,
	}
}

// streamGone hears of each stream of the cluster that ends.
func (n *node) streamGone(r cluster.StreamRecord) {
	if f := n.fleet.Load(); f != nil {
		f.Ended(r)
	}
}

// Route implements admin.Fleet.
func (v *adminView) Route(q admin.RouteQuery) admin.Route {
	why, err := v.placer.f.Route(fleet.Request{Name: q.Name, Source: q.Source, Zone: q.Zone}, q.Publish)
	r := admin.Route{Node: why.Node, Reason: why.Decision.Reason()}
	rejected := why.Rejected
	var none *place.NoServerError
	if errors.As(err, &none) {
		r, rejected = admin.Route{Reason: "no server can take it"}, none.Rejected
	}
	r.Rejected = notChosen(rejected)
	return r
}

// Publisher implements front.Placer.
func (p placer) Publisher(r front.Request) (front.Backend, error) {
	return p.backend(p.f.Publisher(request(r)))
}

// Viewer implements front.Placer.
func (p placer) Viewer(r front.Request) (front.Backend, error) {
	return p.backend(p.f.Viewer(request(r)))
}

func request(r front.Request) fleet.Request {
	return fleet.Request{Name: r.Name, Source: r.Source, Exclude: r.Exclude, Never: r.Never}
}

func (p placer) backend(c fleet.Choice, err error) (front.Backend, error) {
	if err != nil {
		return front.Backend{}, fmt.Errorf("%w: %w", front.ErrNoServer, err)
	}
	if done := c.Done; c.Foreign {
		p.changed()
		c.Done = func(ok bool) {
			done(ok)
			p.changed()
		}
	}
	return front.Backend{Node: c.Node, Addr: c.Addr, HTTP: c.HTTP, Public: c.Public, Foreign: c.Foreign, Announce: front.Announce(c.Announce),
		Why: c.Why, Done: c.Done}, nil
}
