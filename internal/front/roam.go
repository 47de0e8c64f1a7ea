package front

import (
	"context"
	"errors"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/session"
	"weir/internal/ops/event"
)

const (
	// settleTime is how long a carried viewer waits for the registry to say where its
	// stream goes on. Why not shorter: its publisher's silence is noticed within 2 s.
	settleTime = 3 * time.Second
	// endTime is the same once a server has said that the stream has ended: what
	// has moved has been moved in the registry before.
	endTime = time.Second
	// overlapTime is how long the old server is heard on once the new one has given a
	// key frame. Why not smaller: the old one may be behind by that. Why not larger:
	// the viewer's time stands still meanwhile if the old one is done.
	overlapTime = 200 * time.Millisecond
	// roamTime is how long a viewer without a server is kept. Why not larger: its
	// player shows nothing meanwhile.
	roamTime = 10 * time.Second
)

// publishes is guest.
func (v *viewer) publishes() bool { return false }

// waits is guest.
func (v *viewer) waits() bool     { return true }
func (v *viewer) stays(bool) bool { return false }

// rejoin is follower.
func (v *viewer) rejoin(ctx context.Context, server string) { v.evacuate(ctx, server, true) }

// legTo opens a leg and counts it; the caller's to leave.
func (f *Front) legTo(ctx context.Context, p *session.Play, b Backend, has live.Position) (*leg, error) {
	entry := f.enter(p.Name, &b, false, false)
	l, err := f.openLeg(ctx, p, b, has)
	if err != nil {
		entry.End()
		return nil, err
	}
	l.foreign.entry = entry
	return l, nil
}

// leave ends the leg and its count; once.
func (l *leg) leave() {
	l.close()
	l.foreign.entry.End()
}

// settle notes that the viewer is at its leg's server. It needs v.mu, or nobody else to know
// the viewer yet.
func (v *viewer) settle(from *leg) {
	old := ""
	if from != nil {
		from.leave()
		old = from.foreignName()
	}
	v.f.settleAt(v, old, v.leg.foreignName())
	v.f.attend(v)
}

func (l *leg) foreignName() string {
	if l.backend.Foreign {
		return l.backend.Node
	}
	return ""
}

// unsettle ends the viewer's stay.
func (v *viewer) unsettle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.leg.leave()
	v.f.settleAt(v, v.leg.foreignName(), "")
	v.f.forget(v)
	if v.next != nil {
		v.next.leave()
		v.next = nil
	}
}

// takeNext is called when the present leg is done with. It returns the one that a move has prepared; nil if
// there is none, and then no move prepares one until the next leg is in use: it would be left over.
func (v *viewer) takeNext() *leg {
	v.mu.Lock()
	defer v.mu.Unlock()
	l := v.next
	v.next, v.between = nil, true
	v.leg.close() // ends a move under way
	return l
}

// evacuate is guest: the next server is played from until it has a key frame, while
// the present one serves.
func (v *viewer) evacuate(ctx context.Context, server string, gentle bool) {
	if !v.moving.CompareAndSwap(false, true) {
		return
	}
	defer v.moved(server)
	v.mu.Lock()
	from, between := v.leg, v.between
	v.mu.Unlock()
	if between || from.backend.Node != server {
		return // it leaves by itself, or has left
	}
	if !gentle && from.silent() {
		from.close()
		return
	}
	// A server that is down and yet serves is not down for this viewer: whoever checks it may be cut
	// off from it alone.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.ctx, cancel)()
	go func() { // ends with this move: of a server with nobody to take over there are many
		select {
		case <-from.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	next, err := v.open(ctx, leaving(from.backend.Node), live.Position{})
	if err != nil {
		return // it stays: nobody else has the stream
	}
	if err := next.untilKey(ctx); err != nil {
		next.leave()
		return
	}
	v.mu.Lock()
	ok := v.leg == from && !v.between && v.next == nil && v.ctx.Err() == nil
	if ok {
		v.next = next
	}
	v.mu.Unlock()
	if !ok {
		next.leave()
		return
	}
	if next.timeline != "" && next.timeline == from.timeline {
		// What is on its way from the old server is before the key frame, and is not to be
		// had from the new one; what is behind it comes twice and is dropped.
		from.interrupt(overlapTime)
	} else {
		from.interrupt(0)
	}
}

// moved is the end of a move from server. Nobody else could move the viewer meanwhile, who may have gone
// by itself to where its stream is not any more.
func (v *viewer) moved(server string) {
	v.moving.Store(false)
	v.mu.Lock()
	b := v.leg.backend
	v.mu.Unlock()
	if b.Foreign && b.Node != server {
		v.f.look(v.p.Name, b.Node)
	}
}

// afterForeign finds where a stream goes on that was played from a foreign server; nil: it does
// not. A stream that the registry knows is followed; of others any server may know.
func (v *viewer) afterForeign(from *leg, out *outcome) (*leg, error) {
	if out.ended && out.reason != event.StreamEnded {
		return nil, nil
	}
	limit := settleTime
	if out.ended {
		limit = endTime
	} else if !out.asked {
		v.f.backendFailed(v.p.Session, &from.backend, event.PhaseMedia, out.reason, out.err)
	}
	elsewhere, known := v.settled(from.backend.Node, limit)
	if out.ended && !elsewhere {
		return nil, nil
	}
	out.ended = false
	if known && !elsewhere {
		return v.roam(search{}, true)
	}
	return v.roam(leaving(from.backend.Node), !out.asked)
}

// roam finds a server for a viewer that has none, trying again for roamTime. A server that is
// left is not tried at first, and then if there is nobody else, since it may be back. Together
// says that others may have lost theirs at the same moment.
func (v *viewer) roam(s search, together bool) (*leg, error) {
	ctx, cancel := context.WithTimeout(v.ctx, roamTime)
	defer cancel()
	if together && !rush(ctx, v.f.Viewers()) {
		return nil, context.Cause(ctx)
	}
	var waits waits
	for ; ; s.leaves = "" {
		// Not ctx: a node that has been reached may hold the viewer back for longer.
		next, err := v.open(v.ctx, s, v.clock.Position())
		if err == nil {
			return next, nil
		}
		if !waits.wait(ctx) {
			return nil, errors.Join(err, context.Cause(ctx))
		}
	}
}

// settled waits until the registry says that the viewer's stream is elsewhere than at
// server, or for so long. known: it says anything of the stream at the end.
func (v *viewer) settled(server string, limit time.Duration) (elsewhere, known bool) {
	changed, stop := v.f.o.Registry.Watch(v.p.Name)
	defer stop()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		at, ok := v.f.o.Registry.At(v.p.Name)
		if !ok || at.Server != server {
			return ok, ok
		}
		select {
		case <-changed:
		case <-late.C:
			return false, true
		case <-v.ctx.Done():
			return false, true
		}
	}
}
