package front

import (
	"context"
	"errors"
	"time"

	"weir/internal/media/ingest"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// errTaken: the registry, or the node that has claimed it, says that the stream is another publisher's now. It is not carried on
// then: at another node the record may still be its own, and it would have the stream back from the newcomer.
var errTaken = errors.New("front: another publisher has the stream now")

const (
	// nameTries is how often a foreign server that says that the name is taken is asked
	// again, nameWait apart, longer each time. The registry has given the name to us: what the server
	// still knows is a publisher whose end it has not seen, or of somebody who
	// publishes past us.
	nameTries = 3
	nameWait  = 100 * time.Millisecond
)

// begin finds the first server. A publisher that is spliced there comes back;
// otherwise c.push runs.
func (c *carried) begin(ctx context.Context) (session.Publisher, error) {
	var spliced session.Publisher
	s := &search{f: c.f, session: c.p.Session, name: c.p.Name, publish: true}
	err := s.run(ctx, func(ctx context.Context, b Backend) error {
		if err := c.own(ctx, &b); err != nil {
			return err
		}
		if c.f.publishWay(&b) == Splice {
			pub, err := c.f.splicePublish(ctx, c.p, b)
			if err == nil {
				c.settled(b) // who splices counts
				spliced = newSpliced(c, pub)
				return nil
			}
			if !errors.Is(err, errCarry) {
				return err
			}
			reason, why := carryReason(err)
			c.f.o.Emit.Emit(event.NotSpliced{Session: c.p.Session, Node: b.Node, Reason: reason, Err: why})
		}
		return c.pushTo(ctx, b)
	})
	if err != nil {
		c.leave()
		return nil, err
	}
	return spliced, nil
}

// open finds the next server and publishes there. A refusal that is about the stream,
// not about the server, ends the search.
func (c *carried) open(ctx context.Context, s search) error {
	s.f, s.session, s.name, s.publish, s.moving = c.f, c.p.Session, c.p.Name, true, true
	return s.run(ctx, func(ctx context.Context, b Backend) error {
		if err := c.own(ctx, &b); err != nil {
			return err
		}
		return c.pushTo(ctx, b)
	})
}

// own claims the stream for a foreign server, unless it is held.
func (c *carried) own(ctx context.Context, b *Backend) error {
	if !b.Foreign || c.claim != nil {
		return nil
	}
	claim, err := c.f.o.Registry.Claim(ctx, ClaimRequest{Name: c.p.Name, Timeline: c.timeline, Session: c.p.Session,
		Encoder: c.p.Facts.FlashVer, Server: b.Node, Moved: c.moved()})
	var busy *ingest.BusyError
	switch {
	case errors.As(err, &busy):
		return &session.Rejection{Code: rtmp.CodePublishBadName, Description: "Already publishing.", Reason: event.Busy, Err: err}
	case err != nil:
		return &session.Rejection{Code: rtmp.CodePublishRejected, Description: "The stream could not be claimed now; try again.", Reason: event.StorePending, Err: err}
	}
	c.claim, c.held = claim, claim
	c.silence.begin()
	c.f.hold(c)
	return nil
}

// moved reports whether the publisher has been on air: who takes it next must not take it for a
// newcomer.
func (c *carried) moved() bool { return c.at.Node != "" || c.p.Extra.Moved }

// lost is closed when the claim is another's.
func (c *carried) lost() <-chan struct{} {
	if c.claim == nil {
		return nil
	}
	return c.claim.Lost()
}

// pushTo publishes at b.
func (c *carried) pushTo(ctx context.Context, b Backend) error {
	o := relay.PushOptions{Dial: c.f.dialer(&b, &c.p.Client), Addr: b.Addr, Rounds: c.f.rounds, Traffic: c.f.trafficTo(&b)}
	if b.Foreign {
		o.Connect = foreignConnect(&c.p.Client, c.p.Name)
		o.Path = foreignName(&c.p.Client, c.p.Name, c.p.Request.Name, c.p.Request.Query)
		o.Type, o.Args, o.Mark = c.p.Request.Type, rest(c.p.Request.Args, 2), c.f.mark(&c.p.Client)
	} else {
		o.Node, o.Secret = c.f.o.Node, c.f.o.Secret()
		o.Connect, o.Path = connectAs(&c.p.Client, b.Addr), c.p.Name.String()
		o.Extra = member.PublishExtra{Timeline: c.timeline, Moved: c.moved(), Hops: c.p.Extra.Hops + 1, Client: c.p.Facts}
	}
	push, err := relay.OpenPush(ctx, o)
	for try := 1; b.Foreign && taken(err) && try <= nameTries; try++ {
		select {
		case <-time.After(time.Duration(try) * nameWait):
			push, err = relay.OpenPush(ctx, o)
		case <-ctx.Done():
			return err
		}
	}
	if err != nil {
		return err
	}
	c.push = push
	c.settle(b)
	return nil
}

// taken reports whether a server says that another publishes under the name.
func taken(err error) bool {
	var refused *relay.RefusedError
	return errors.As(err, &refused) && refused.Code == rtmp.CodePublishBadName
}

// settle notes that the stream is at b now.
func (c *carried) settle(b Backend) {
	entry := c.f.enter(c.p.Name, &b, true, false)
	c.sent.Store(entry.In)
	c.unsettle(b)
	c.entry = entry
	c.settled(b)
}

// settled says so.
func (c *carried) settled(b Backend) {
	c.at = b
	c.server.Store(&b.Node)
	switch {
	case b.Foreign:
		c.claim.MovedTo(b.Node)
		c.unlist = c.f.o.Ledger.Publishing(b.Node, c.p.Name)
	default:
		// The node has claimed the stream itself, under the same timeline.
		c.release()
	}
}

// unsettle is the end of the stay where the stream is; next is where it goes.
func (c *carried) unsettle(next Backend) {
	var from, to string
	if c.at.Foreign {
		from = c.at.Node
		c.unlist()
	}
	if next.Foreign {
		to = next.Node
	}
	c.f.settleAt(c, from, to)
	if c.entry.End != nil {
		c.entry.End()
		c.entry = Entry{}
	}
}

// leave gives back all that the publisher has outside.
func (c *carried) leave() {
	c.unsettle(Backend{})
	c.release()
}

// release gives the claim back.
func (c *carried) release() {
	if c.claim == nil {
		return
	}
	c.f.drop(c)
	c.claim.Release()
	c.claim = nil
}

// moved tells of a session that goes on elsewhere.
func (f *Front) moved(s event.Session, from, to *Backend, reason event.Reason) {
	f.o.Emit.Emit(event.BackendChanged{Session: s, From: from.Node, To: to.Node, Reason: reason})
	if from.Foreign {
		f.o.Ledger.Moved(from.Node)
	}
}
