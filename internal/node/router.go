package node

import (
	"context"
	"errors"
	"net/netip"

	"weir/internal/control/fleet"
	"weir/internal/media/ingest"
	"weir/internal/media/session"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// router decides which part of the node takes a session. It is the node itself,
// seen by package session:
//
//	publish  here, if a front has sent it or this is an origin without the front
//	         role; else where placement says, which may be here
//	play     here, if a front has sent it or this node serves viewers; else, and
//	         if the stream is at a foreign server, where placement says
//
// A node that is being drained takes nothing itself: what comes from a front is
// refused, so that the front goes on to the next server; with the front role it
// carries all else. A node that leaves takes nothing.
type router node

// Publish implements session.Handler.
func (r *router) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	n := (*node)(r)
	sent := p.Extra.Hops > 0
	switch n.receive(p, sent) {
	case rejected:
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Description: "This node is being drained.", Reason: event.NodeStopping}
	case carriedOnly:
		return r.carryPublisher(ctx, p)
	}
	switch {
	case sent && !n.cfg.Node.Has(config.RoleOrigin):
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Description: "This node takes no publishers.", Reason: event.NotServed}
	case sent, n.cfg.Node.Has(config.RoleOrigin) && !n.cfg.Node.Has(config.RoleFront), n.belongsHere(p):
		return r.take(ctx, p)
	}
	return r.carryPublisher(ctx, p)
}

// disposition is what a node, drained or not, does with a new session.
type disposition int

const (
	accepted    disposition = iota
	carriedOnly             // to another server: this one takes nothing itself
	rejected
)

// arrival is a publish or play that the router is asked for.
type arrival interface {
	Admitted()
	Elsewhere()
}

// receive decides what becomes of a session and marks it so under the drainer's lock: a drain that begins
// or ends meanwhile misses none.
func (n *node) receive(s arrival, sent bool) (d disposition) {
	n.drainer.let(func(draining, leaving bool) {
		switch {
		case !draining:
		case sent || !n.cfg.Node.Has(config.RoleFront) || leaving:
			d = rejected
			return
		default:
			d = carriedOnly
			s.Elsewhere()
		}
		s.Admitted()
	})
	return d
}

// carryPublisher and carryViewer give a session to the front.
func (r *router) carryPublisher(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	p.Elsewhere()
	return r.front.Publish(ctx, p)
}

func (r *router) carryViewer(ctx context.Context, p *session.Play) (session.Player, error) {
	p.Elsewhere()
	return r.front.Play(ctx, p)
}

// belongsHere asks placement whether this node's own origin is the choice.
func (n *node) belongsHere(p *session.Publish) bool {
	if !n.cfg.Node.Has(config.RoleOrigin) {
		return false
	}
	b, err := n.placer.f.WouldTake(fleet.Request{Name: p.Name, Source: address(p.Session.Remote)})
	if err != nil {
		return true
	}
	here := b.Node == n.cfg.Node.Name
	b.Done(here)
	return here
}

// address is the one in a session's HOST:PORT; zero if there is none.
func address(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// take accepts a publisher at this origin.
func (r *router) take(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	carried := p.Extra.Hops > 0
	pub, err := r.ingest.Publish(ctx, ingest.Request{Name: p.Name, Timeline: p.Extra.Timeline, Session: p.Session, Encoder: p.Facts.FlashVer,
		Carried: carried, Moved: p.Extra.Moved},
		func(why error) { p.Evict(endCode(why, carried), ingest.Reason(why), why) })
	var busy *ingest.BusyError
	if errors.As(err, &busy) {
		return nil, &session.Rejection{Code: rtmp.CodePublishBadName, Description: "Already publishing.", Reason: event.Busy, Err: err}
	}
	if err != nil {
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Description: "The stream could not be claimed now; try again.", Reason: event.StorePending, Err: err}
	}
	return publisher{pub, carried}, nil
}

// publisher is a publication whose end is told alike whoever hears of it first: the
// session by its next message, or the eviction.
type publisher struct {
	*ingest.Publication
	carried bool
}

// Write implements session.Publisher.
func (p publisher) Write(m *rtmp.Message) error {
	err := p.Publication.Write(m)
	if err == nil {
		return nil
	}
	return &session.Rejection{Code: endCode(err, p.carried), Description: "The publication was ended: " + string(ingest.Reason(err)), Reason: ingest.Reason(err), Err: err}
}

// endCode is what a publisher hears of the end that its publication came to. To the front of one that is carried, a name that is
// taken says that the client has lost it to another. That a higher epoch is known does not: the node may have lost its own name, or the
// epoch may be what is left of the same publisher. Then the front asks elsewhere.
func endCode(why error, carried bool) string {
	if errors.Is(why, ingest.ErrTakenOver) || !carried && (errors.Is(why, ingest.ErrFenced) || errors.Is(why, ingest.ErrHandedOver)) {
		return rtmp.CodePublishBadName
	}
	return rtmp.CodePublishRejected
}

// Play implements session.Handler.
func (r *router) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if !p.Extra.Feed {
		switch (*node)(r).receive(p, p.Extra.Hops > 0) {
		case rejected:
			return nil, &session.Rejection{Code: rtmp.CodePlayFailed, Description: "This node is being drained.", Reason: event.NodeStopping}
		case carriedOnly:
			return r.carryViewer(ctx, p)
		}
	}
	serves := (*node)(r).serves()
	if serves && p.Extra.Hops == 0 && r.cfg.Node.Has(config.RoleFront) && (*node)(r).atForeign(p.Name) {
		serves = false
	}
	if p.Extra.Hops > 0 || serves {
		return r.play.RTMP(ctx, p)
	}
	return r.carryViewer(ctx, p)
}

// Query implements session.Handler.
func (r *router) Query(_ context.Context, question, arg string) (string, error) {
	return (*node)(r).answer(question, arg)
}
