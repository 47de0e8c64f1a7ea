package front

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// viewer is one carried play. Its edge may change under it.
type viewer struct {
	f     *Front
	p     *session.Play
	ctx   context.Context // ends when the client leaves
	end   context.CancelFunc
	leave sync.Once
	over  chan struct{}
	clock live.Continuity // the forwarding goroutine's own

	moving  atomic.Bool // somebody moves it
	strikes strikes     // the forwarding goroutine's own

	mu               sync.Mutex
	leg              *leg
	high             stream.Epoch // the highest that a leg was under
	next             *leg         // to go on with, when the present one is interrupted
	between          bool         // the present one is done with, and its successor is being looked for
	paused           bool
	noAudio, noVideo bool
}

// Play carries a viewer to an edge and answers it when that has answered.
func (f *Front) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if p.Extra.Hops >= relay.MaxHops {
		return nil, &session.Rejection{Code: rtmp.CodePlayFailed, Description: "Relayed too often: a loop between servers?", Reason: event.HopLimit}
	}
	if err := f.refuseLoop(&p.Client, rtmp.CodePlayFailed); err != nil {
		return nil, err
	}
	v := &viewer{f: f, p: p, over: make(chan struct{})}
	spliced, err := v.begin(ctx)
	if err != nil || spliced != nil {
		return spliced, err
	}
	v.ctx, v.end = context.WithCancel(f.ctx)
	v.high = v.leg.epoch
	v.settle(nil)
	go v.run()
	return v, nil
}

// begin finds the first server. A viewer that is spliced there comes back;
// otherwise v.leg plays.
func (v *viewer) begin(ctx context.Context) (spliced session.Player, err error) {
	s := &search{f: v.f, session: v.p.Session, name: v.p.Name}
	asked := false // to go there itself
	err = s.run(ctx, func(sctx context.Context, b Backend) (err error) {
		if !asked {
			if asked, err = v.f.redirect(ctx, v.p, &b); err != nil {
				return err
			}
		}
		if v.f.playWay(&b) == Splice {
			if spliced, err = v.f.splicePlay(sctx, v.p, b); !errors.Is(err, errCarry) {
				return err
			}
			reason, why := carryReason(err)
			v.f.o.Emit.Emit(event.NotSpliced{Session: v.p.Session, Node: b.Node, Reason: reason, Err: why})
		}
		v.leg, err = v.f.legTo(sctx, v.p, b, v.clock.Position())
		return err
	})
	return spliced, err
}

// open finds another server that plays the stream, of which the client has had so much.
// A refusal that is about the stream, not about the server, ends the search.
func (v *viewer) open(ctx context.Context, s search, has live.Position) (l *leg, err error) {
	s.f, s.session, s.name, s.moving = v.f, v.p.Session, v.p.Name, true
	err = s.run(ctx, func(ctx context.Context, b Backend) (err error) {
		if l, err = v.f.legTo(ctx, v.p, b, has); err == nil && v.stale(l) {
			l.leave()
			l, err = nil, errStale
		}
		return err
	})
	return l, err
}

// errStale: the server has the stream under an epoch that is over.
var errStale = errors.New("front: the server's epoch is lower than one that was seen")

// stale reports whether a server is behind: the viewer has had the stream under a higher epoch, or the registry
// has it. It serves a publisher who has lost the name, and may not know it yet. One that names no epoch
// has it unconfirmed, or is no node.
func (v *viewer) stale(l *leg) bool {
	if l.epoch.IsZero() {
		return false
	}
	at, _ := v.f.o.Registry.At(v.p.Name)
	v.mu.Lock()
	defer v.mu.Unlock()
	return l.epoch.Less(v.high) || l.epoch.Less(at.Epoch)
}

// run forwards the edge's messages, from edge to edge if it must, until the
// stream or the client ends.
func (v *viewer) run() {
	reason, by, err := v.follow()
	left := v.ctx.Err() != nil
	v.end()
	v.unsettle()
	close(v.over)
	if !left {
		v.p.Ended(reason, by, err)
	}
}

func (v *viewer) follow() (event.Reason, event.Side, error) {
	if err := v.p.Conn.AcceptPlay(v.p.Request, nil); err != nil {
		return clientFailed(err)
	}
	for {
		v.clock.Source()
		if on := v.leg.timeline; on != "" {
			v.clock.SetClock(live.Clock{Base: on})
		}
		began := time.Now()
		out := v.forward(v.leg)
		if v.ctx.Err() != nil {
			return out.reason, out.by, out.err
		}
		from := v.leg
		next := v.takeNext()
		if next != nil {
			out.reason = event.NodeLeft
		} else {
			var err error
			if !out.ended && !out.asked && !v.strikes.failed(v.ctx, began, roamTime) {
				return out.reason, out.by, out.err
			}
			if next, err = v.after(from, &out); next == nil {
				if out.reason == event.StreamEnded {
					v.p.Conn.Status(v.p.Request.StreamID, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "The stream has ended.", nil)
				}
				return out.reason, out.by, errors.Join(out.err, err)
			}
		}
		v.use(next)
		v.f.moved(v.p.Session, &from.backend, &next.backend, out.reason)
	}
}

// after finds the server that goes on after one has ended; nil: the play is over.
func (v *viewer) after(from *leg, out *outcome) (*leg, error) {
	if from.backend.Foreign {
		return v.afterForeign(from, out)
	}
	if out.ended {
		return nil, nil
	}
	if !out.asked {
		v.f.backendFailed(v.p.Session, &from.backend, event.PhaseMedia, out.reason, out.err)
	}
	return v.roam(leaving(from.backend.Node), !out.asked)
}

// use goes on with another server, which is told what the client wanted.
func (v *viewer) use(next *leg) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from := v.leg
	v.leg, v.between = next, false
	if v.high.Less(next.epoch) {
		v.high = next.epoch
	}
	v.settle(from)
	if v.ctx.Err() != nil {
		next.close() // who left has closed the one before
	}
	if v.paused {
		next.pause(true)
	}
	if v.noAudio || v.noVideo {
		next.receive(!v.noAudio, !v.noVideo)
	}
}

// Pause is session.Player.
func (v *viewer) Pause(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paused = on
	v.leg.pause(on)
}

// Receive is session.Player.
func (v *viewer) Receive(audio, video bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.noAudio, v.noVideo = !audio, !video
	v.leg.receive(audio, video)
}

// Leave ends the play at the client's wish.
func (v *viewer) Leave() {
	v.leave.Do(func() {
		v.end()
		v.mu.Lock()
		v.leg.close()
		v.mu.Unlock()
	})
	<-v.over
}
