package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/deadline"
	"weir/internal/media/ingest"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

const (
	// releaseTimeout bounds how long the end of a session waits for the store;
	// what it could not remove, the cluster's reconciler does.
	releaseTimeout = 2 * time.Second
	// ownerTimeout is how long an owner may take to say whether its publisher is silent.
	ownerTimeout = deadline.Owner
	// claimTries bounds how often a claim is tried against an owner that changes
	// meanwhile.
	claimTries = 3
)

// Claim implements ingest.Registry.
func (r registry) Claim(ctx context.Context, req ingest.Request) (ingest.Claim, error) {
	c, err := r.claim(ctx, newcomer{name: req.Name, moved: req.Moved, here: r.n.publishing,
		facts: cluster.Facts{Publisher: req.Session.Remote, Encoder: req.Encoder, Timeline: req.Timeline}})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// newcomer is a publisher that wants a stream.
type newcomer struct {
	name  stream.Name
	facts cluster.Facts
	// moved says that it has been on air before. That newcomers win is then not for it to
	// use: it has lost the stream to one, or would take it back and forth with another.
	moved bool
	// here says since when the publisher of a stream that this node owns itself has been
	// silent; false: it has none.
	here func(stream.Name) (time.Duration, bool)
}

// claim claims a stream. Against an owner it weighs the evidence: a stream that its owner
// holds for nobody, or that is only being handed over, is free.
func (r registry) claim(ctx context.Context, by newcomer) (*claim, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline.Begin)
	defer cancel()
	own, err := r.c.Claim(ctx, by.name, by.facts)
	var busy *cluster.BusyError
	for range claimTries {
		if !errors.As(err, &busy) {
			break
		}
		why, ok := r.yields(ctx, by, busy)
		if !ok {
			break
		}
		r.n.emit.Emit(event.TakeOver{Name: by.name, From: busy.Owner, Epoch: busy.Epoch, Why: why})
		if own, err = r.c.TakeOver(ctx, by.name, by.facts, busy.Epoch); err == nil {
			return &claim{Ownership: own, facts: by.facts, from: busy.Epoch}, nil
		}
	}
	if errors.As(err, &busy) {
		return nil, &ingest.BusyError{Name: by.name, Owner: busy.Owner}
	}
	if err != nil {
		return nil, err
	}
	return &claim{Ownership: own, facts: by.facts}, nil
}

// yields reports whether the owner of a stream has to give way to a newcomer
// that was allowed to publish it, and why.
func (r registry) yields(ctx context.Context, by newcomer, busy *cluster.BusyError) (why string, ok bool) {
	switch {
	case busy.Timeline != "" && busy.Timeline == by.facts.Timeline:
		return "the same publisher, handed over", true
	case r.n.cfg.Publish.Duplicate == config.DuplicateTakeover && !by.moved:
		return "the newcomer wins, by policy", true
	case busy.Owner == r.self:
		silent, publishing := by.here(by.name)
		if !publishing {
			return "left over from a session that has ended", true
		}
		return silence{publishing, silent}.yields()
	case busy.Vanished:
		return r.vanished(ctx, busy)
	}
	owner, alive, err := r.c.FindNode(ctx, busy.Owner)
	switch {
	case err != nil: // no evidence of anything
		return "", false
	case !alive: // since the record was read: its lease has run out, which says nothing of the owner
		return r.vanished(ctx, busy)
	}
	s, err := r.n.askSilence(ctx, owner.Addresses.RTMP, by.name)
	if err != nil {
		return fmt.Sprintf("the owner does not answer: %v", err), true
	}
	return s.yields()
}

// claim is an ownership as ingest sees it.
type claim struct {
	*cluster.Ownership
	from stream.Epoch // of the owner taken over from

	mu    sync.Mutex
	facts cluster.Facts // as last told
}

// Epoch is that of the owner taken over from until the store has given one of
// its own: receivers know that one and would refuse a lower.
func (c *claim) Epoch() stream.Epoch {
	if e := c.Ownership.Epoch(); !e.IsZero() {
		return e
	}
	return c.from
}

func (c *claim) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	c.Ownership.Release(ctx)
}
