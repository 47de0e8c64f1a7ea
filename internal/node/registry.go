package node

import (
	"context"
	"errors"

	"weir/internal/control/cluster"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// registry is the cluster as the media wing sees it: ingest claims through it,
// relay finds owners.
type registry struct {
	n       *node
	c       *cluster.Cluster
	self    string
	origins *inquiry
}

// Locate implements relay.Locator. The registry is asked first. What it cannot
// say because the store is away, the origins say themselves.
func (r registry) Locate(ctx context.Context, name stream.Name, failed string) (relay.Source, bool, error) {
	rec, ok, err := r.c.Owner(ctx, name)
	owner, alive, unknown := r.c.FindNode(ctx, rec.Owner)
	src := relay.Source{Node: rec.Owner, Addr: owner.Addresses.RTMP, Epoch: rec.Epoch, Self: ok && rec.Owner == r.self}
	switch {
	case ok && rec.Facts.Backend != "":
		// A foreign server has it: nodes do not pull from those.
		return relay.Source{}, false, nil
	case src.Self, ok && alive && rec.Owner != failed:
		return src, true, nil
	case !r.c.Available():
		return r.ask(ctx, name, failed)
	case ok && alive:
		return src, true, nil // it may have come back
	case !ok && err == nil:
		src, ok := r.askMissing(ctx, name, failed)
		return src, ok, nil
	}
	return relay.Source{}, false, errors.Join(err, unknown)
}

// askMissing asks the origins that the registry has lost: one that is cut off from the store alone
// still has its publishers.
func (r registry) askMissing(ctx context.Context, name stream.Name, except string) (relay.Source, bool) {
	var origins []cluster.Node
	in := allMissing
	for _, n := range r.c.Missing() {
		switch {
		case n.Name == r.self || !n.HasRole(string(config.RoleOrigin)):
		case n.Name == except:
			in = someOrigins
		default:
			origins = append(origins, cluster.Node{NodeRecord: n})
		}
	}
	if len(origins) == 0 {
		return relay.Source{}, false
	}
	return r.origins.find(ctx, origins, name, in)
}

// ask asks every origin but one whether the stream is published there.
func (r registry) ask(ctx context.Context, name stream.Name, except string) (relay.Source, bool, error) {
	var origins []cluster.Node
	for _, n := range r.c.Nodes() {
		if n.Name != r.self && n.Name != except && n.HasRole(string(config.RoleOrigin)) {
			origins = append(origins, n)
		}
	}
	in := allOrigins
	if except != "" {
		in = someOrigins
	}
	src, ok := r.origins.find(ctx, origins, name, in)
	return src, ok, nil
}

// Watch implements relay.Locator.
func (r registry) Watch(name stream.Name) (<-chan struct{}, func()) {
	sub := r.c.OwnerChanges(name)
	changed := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case _, ok := <-sub.C:
				if !ok {
					return
				}
				select {
				case changed <- struct{}{}:
				default:
				}
			case <-done:
				return
			}
		}
	}()
	return changed, func() {
		sub.Close()
		close(done)
	}
}

// publications is ingest as play sees it.
type publications struct{ s *ingest.Service }

// Feed implements play.Publications.
func (p publications) Feed(name stream.Name) (*live.Stream, member.FeedFacts, <-chan struct{}, bool) {
	pub, ok := p.s.Lookup(name)
	if !ok {
		return nil, member.FeedFacts{}, nil, false
	}
	f, ok := pub.Feed()
	if !ok {
		return nil, member.FeedFacts{}, nil, false
	}
	return f.Stream, member.FeedFacts{Epoch: f.Epoch}, f.Over, true
}
