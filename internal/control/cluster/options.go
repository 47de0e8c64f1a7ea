package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/event"
)

// Options configure a Cluster. Store and Self.Name are required.
type Options struct {
	Store store.Store // the caller closes it, after the Cluster
	Self  NodeRecord  // Process is filled in if empty, State defaults to up

	// TTL of the node's lease, DefaultTTL if 0.
	TTL time.Duration
	// Secret proves membership between nodes; empty: made once and kept in the store.
	Secret []byte
	// Prefix of all keys, DefaultPrefix if empty.
	Prefix string
	// Highest remembers the highest incarnation over restarts; nil: not remembered.
	Highest Highest

	// Ask asks the process that is registered under this node's name whether it lives: at the
	// start only. It ends with ctx. Nil: what the process writes to the store has to tell.
	Ask func(ctx context.Context, holder NodeRecord) Life

	// Gone is told of each stream whose record goes, from the watcher's goroutine; it must not block or call
	// back. Nil: nobody is.
	Gone func(StreamRecord)

	Now    func() time.Time // time.Now if nil
	Rand   *rand.Rand       // of the Cluster alone; seeded randomly if nil
	Logger *slog.Logger     // discards if nil
	Emit   event.Sink       // called from several goroutines, must not block or call back; may be nil
}

// Highest keeps the highest incarnation seen where a restart finds it.
type Highest interface {
	Load() (uint64, error)
	Save(uint64) error
}
