package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/ingest"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

const (
	// claimTimeout bounds a publisher's wait for its answer when the store is slow.
	claimTimeout = 4 * time.Second
	// releaseTimeout bounds how long the end of a session waits for the store;
	// what it could not remove, the cluster's reconciler does.
	releaseTimeout = 2 * time.Second
	// ownerTimeout is how long an owner may take to say whether its publisher is
	// silent, before it counts as silent itself. Why not longer: the newcomer
	// waits, and its viewers with it. Why not shorter: a healthy node under load
	// must not lose its stream.
	ownerTimeout = time.Second
	// claimTries bounds how often a claim is tried against an owner that changes
	// meanwhile.
	claimTries = 3
)

// Claim implements ingest.Registry. Against an owner it weighs the evidence: a
// stream that its owner holds for nobody, or that is only being handed over, is
// free.
func (r registry) Claim(ctx context.Context, req ingest.Request) (ingest.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	facts := cluster.Facts{Publisher: req.Session.Remote, Encoder: req.Encoder, Timeline: req.Timeline}
	own, err := r.c.Claim(ctx, req.Name, facts)
	var busy *cluster.BusyError
	for range claimTries {
		if !errors.As(err, &busy) {
			break
		}
		why, ok := r.yields(ctx, req, busy)
		if !ok {
			break
		}
		r.n.emit.Emit(event.TakeOver{Name: req.Name, From: busy.Owner, Epoch: busy.Epoch, Why: why})
		if own, err = r.c.TakeOver(ctx, req.Name, facts, busy.Epoch); err == nil {
			return &claim{Ownership: own, facts: facts, from: busy.Epoch}, nil
		}
	}
	if errors.As(err, &busy) {
		return nil, &ingest.BusyError{Name: req.Name, Owner: busy.Owner}
	}
	if err != nil {
		return nil, err
	}
	return &claim{Ownership: own, facts: facts}, nil
}

// yields reports whether the owner of a stream has to give way to a newcomer
// that was allowed to publish it, and why.
func (r registry) yields(ctx context.Context, req ingest.Request, busy *cluster.BusyError) (why string, ok bool) {
	rec, known := r.c.Known(req.Name)
	switch {
	case known && rec.Epoch == busy.Epoch && rec.Facts.Timeline == req.Timeline:
		return "the same publisher, handed over", true
	case r.n.cfg.Publish.Duplicate == config.DuplicateTakeover:
		return "the newcomer wins, by policy", true
	case busy.Owner == r.self:
		// ingest has let the newcomer pass: there is no publisher here.
		return "left over from a session that has ended", true
	}
	owner, alive := r.c.Node(busy.Owner)
	if !alive {
		return "the owner has left the cluster", true
	}
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	s, err := r.n.askSilence(ctx, owner.Addresses.RTMP, req.Name)
	switch {
	case err != nil:
		return fmt.Sprintf("the owner does not answer: %v", err), true
	case !s.Publishing:
		return "the owner has no publisher", true
	case s.Silent >= yieldAfter:
		return fmt.Sprintf("its publisher has been silent for %v", s.Silent.Round(time.Millisecond)), true
	}
	return "", false
}

// askSilence asks a node about one of its streams.
func (n *node) askSilence(ctx context.Context, addr string, name stream.Name) (s silence, err error) {
	text, err := n.peers.Query(ctx, addr, querySilence, name.String())
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	return s, err
}

// silence is an owner's answer about one of its streams.
type silence struct {
	Publishing bool          `json:"publishing"`
	Silent     time.Duration `json:"silent"` // since the last message
}

// silence answers another node's question.
func (n *node) silence(name string) (string, error) {
	var s silence
	if parsed, err := stream.ParseName(name); err == nil {
		s.Silent, s.Publishing = n.ingest.Silence(parsed)
	}
	b, err := json.Marshal(s)
	return string(b), err
}

// claim is an ownership as ingest sees it.
type claim struct {
	*cluster.Ownership
	facts cluster.Facts // as last told; the load meter's own after the claim
	from  stream.Epoch  // of the owner taken over from
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
