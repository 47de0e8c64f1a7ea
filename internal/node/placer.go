package node

import (
	"fmt"
	"math/rand/v2"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/front"
	"weir/internal/stream"
)

// placer is the fleet as the front sees it.
type placer struct{ f *fleet.Fleet }

func newPlacer(c *cluster.Cluster) placer {
	return placer{fleet.New(c, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))}
}

// Publisher implements front.Placer.
func (p placer) Publisher(name stream.Name, exclude []string) (front.Backend, error) {
	return backend(p.f.Publisher(name, exclude))
}

// Viewer implements front.Placer.
func (p placer) Viewer(name stream.Name, exclude []string) (front.Backend, error) {
	return backend(p.f.Viewer(name, exclude))
}

func backend(c fleet.Choice, err error) (front.Backend, error) {
	if err != nil {
		return front.Backend{}, fmt.Errorf("%w: %w", front.ErrNoServer, err)
	}
	return front.Backend{Node: c.Node, Addr: c.Addr, Why: c.Why, Done: c.Done}, nil
}
