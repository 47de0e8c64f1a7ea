package cluster

import (
	"context"

	"weir/internal/control/store"
)

// gate is a lock that a waiter gives up with its context. What is done behind a
// gate waits for the store; a mutex there would make others wait for it twice.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) lock(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &store.UnavailableError{Op: "waiting", Err: context.Cause(ctx), Hint: "an earlier call to the store takes long"}
	}
}

func (g gate) unlock() { <-g }
