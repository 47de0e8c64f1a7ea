package node

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

// claimTimeout bounds a publisher's wait for its answer when the store is slow.
const claimTimeout = 4 * time.Second

// releaseTimeout bounds how long the end of a session waits for the store; what
// it could not remove, the cluster's reconciler does.
const releaseTimeout = 2 * time.Second

// registry is the cluster as the media wing sees it: ingest claims through it,
// relay finds owners.
type registry struct {
	c    *cluster.Cluster
	self string
}

// Claim implements ingest.Registry.
func (r registry) Claim(ctx context.Context, req ingest.Request) (ingest.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	facts := cluster.Facts{Publisher: req.Session.Remote, Encoder: req.Encoder, Timeline: req.Timeline}
	own, err := r.c.Claim(ctx, req.Name, facts)
	var busy *cluster.BusyError
	if errors.As(err, &busy) {
		// The same publisher, handed over by its front, is not a second one.
		if rec, ok, _ := r.c.Owner(ctx, req.Name); ok && req.Timeline != "" && rec.Facts.Timeline == req.Timeline {
			own, err = r.c.TakeOver(ctx, req.Name, facts, rec.Epoch)
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

// claim is an ownership as ingest sees it.
type claim struct {
	*cluster.Ownership
	facts cluster.Facts // as last told; the load meter's own after the claim
}

func (c *claim) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	c.Ownership.Release(ctx) //nolint:errcheck // the reconciler removes what this could not
}

// Locate implements relay.Locator.
func (r registry) Locate(ctx context.Context, name stream.Name) (relay.Source, bool, error) {
	rec, ok, err := r.c.Owner(ctx, name)
	if err != nil || !ok {
		return relay.Source{}, false, err
	}
	src := relay.Source{Node: rec.Owner, Epoch: rec.Epoch, Self: rec.Owner == r.self}
	owner, ok := r.c.Node(rec.Owner)
	if !ok && !src.Self {
		return relay.Source{}, false, nil // its lease is gone and the record about to be
	}
	src.Addr = owner.Addresses.RTMP
	return src, true, nil
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
	return f.Stream, member.FeedFacts{Epoch: f.Epoch, Timeline: f.Timeline}, f.Over, true
}

var (
	localhost4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	localhost6 = netip.IPv6Loopback()
)

// isNode exempts the fleet's own addresses from the limit of connections an
// address.
func (n *node) isNode(a netip.Addr) bool {
	// Behind a proxy on this machine all clients have this address, and so have
	// other nodes and load tools here. Other loopback addresses are nobody's by
	// accident, and count as any.
	if a == localhost4 || a == localhost6 {
		return true
	}
	for _, other := range n.cluster.Nodes() {
		if ap, err := netip.ParseAddrPort(other.Addresses.RTMP); err == nil && ap.Addr() == a {
			return true
		}
	}
	return false
}
