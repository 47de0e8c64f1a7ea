package node

import (
	"context"
	"log/slog"
	"net"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
)

// World is what a node reaches outside of its process. Of the zero World all is
// this machine's; a simulation brings its own network, store and clock.
type World struct {
	Listen func(network, addr string) (net.Listener, error)
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	// Store opens the store; the node closes it.
	Store func(context.Context) (store.Store, error)
	// Now is the wall clock. Durations are the runtime's.
	Now func() time.Time
	// Emit hears every event, beside the log and the metrics.
	Emit event.Sink
}

// Run runs a node until ctx ends, then ends it in good order. An error means
// that it could not start, or that a listener failed.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	setGC()
	return World{}.Run(ctx, cfg, log)
}

// Run is [Run] in this world.
func (w World) Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if w.Listen == nil {
		w.Listen = Listen
	}
	if w.Dial == nil {
		w.Dial = (&net.Dialer{}).DialContext
	}
	n := &node{world: w, cfg: cfg, log: log.With("node", cfg.Node.Name)}
	return n.run(ctx)
}
