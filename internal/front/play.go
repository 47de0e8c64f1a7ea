package front

import (
	"context"
	"errors"
	"sync"

	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
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

	mu               sync.Mutex
	leg              *leg
	paused           bool
	noAudio, noVideo bool
}

// Play carries a viewer to an edge and answers it when that has answered.
func (f *Front) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if p.Extra.Hops >= relay.MaxHops {
		return nil, &session.Rejection{Code: rtmp.CodePlayFailed, Description: "Relayed too often: a loop between servers?", Reason: event.HopLimit}
	}
	v := &viewer{f: f, p: p, over: make(chan struct{})}
	l, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	v.leg = l
	v.ctx, v.end = context.WithCancel(f.ctx)
	f.viewers.Add(1)
	go v.run()
	return v, nil
}

// open finds an edge that plays the stream. A refusal that is about the stream,
// not about the edge, ends the search.
func (v *viewer) open(ctx context.Context, exclude ...string) (*leg, error) {
	var last error
	for range maxTries {
		b, err := v.f.place(v.p.Session, v.f.o.Placer.Viewer, v.p.Name, exclude)
		if err != nil {
			return nil, noServer(rtmp.CodePlayFailed, errors.Join(err, last))
		}
		l, err := v.f.openLeg(ctx, v.p, b, v.clock.Position())
		b.done(err == nil)
		if err == nil {
			return l, nil
		}
		var refused *relay.RefusedError
		if errors.As(err, &refused) && refused.Code == rtmp.CodePlayStreamNotFound {
			return nil, &session.Rejection{Code: refused.Code, Description: refused.Description, Reason: event.NotFound}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		v.f.o.Emit.Emit(event.BackendFailed{Session: v.p.Session, Node: b.Node, Phase: event.PhasePlace, Reason: failure(err), Err: err})
		last = err
		exclude = append(exclude, b.Node)
	}
	return nil, noServer(rtmp.CodePlayFailed, last)
}

// run forwards the edge's messages, from edge to edge if it must, until the
// stream or the client ends.
func (v *viewer) run() {
	reason, by, err := v.follow()
	v.mu.Lock()
	v.leg.close()
	v.mu.Unlock()
	v.f.viewers.Add(-1)
	left := v.ctx.Err() != nil
	v.end()
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
		out := v.forward(v.leg)
		if out.ended || v.ctx.Err() != nil {
			return out.reason, out.by, out.err
		}
		from := v.leg.backend.Node
		if !out.asked {
			v.f.o.Emit.Emit(event.BackendFailed{Session: v.p.Session, Node: from, Phase: event.PhaseMedia, Reason: out.reason, Err: out.err})
		}
		next, err := v.open(v.ctx, from)
		if err != nil {
			return out.reason, out.by, errors.Join(out.err, err)
		}
		v.use(next)
		v.f.o.Emit.Emit(event.BackendChanged{Session: v.p.Session, From: from, To: next.backend.Node, Reason: out.reason})
	}
}

// use goes on with another edge, which is told what the client wanted.
func (v *viewer) use(next *leg) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.leg.close()
	v.leg = next
	if v.paused {
		next.pause(true)
	}
	if v.noAudio || v.noVideo {
		next.receive(!v.noAudio, !v.noVideo)
	}
}

// outcome is why forwarding from one edge ended.
type outcome struct {
	ended  bool // the play is over; else another edge may go on
	asked  bool // the edge asked for it
	reason event.Reason
	by     event.Side
	err    error
}

func over(reason event.Reason, by event.Side, err error) outcome {
	return outcome{ended: true, reason: reason, by: by, err: err}
}

// forward carries one edge's messages to the client.
func (v *viewer) forward(l *leg) outcome {
	client := v.p.Conn
	for {
		ev, err := l.conn.Next()
		if err != nil {
			return outcome{reason: event.SourceLost, by: event.ByBackend, err: err}
		}
		switch ev.Kind {
		case rtmp.EventMedia:
			m := *ev.Message
			m.StreamID = v.p.Request.StreamID
			if !v.clock.Place(&m) {
				continue
			}
			if err := client.Queue(&m); err != nil {
				return over(clientFailed(err))
			}
			// One write for all that has arrived: a GOP comes in one piece, a live
			// frame at once.
			if !l.conn.Buffered() {
				if err := client.Flush(); err != nil {
					return over(clientFailed(err))
				}
			}
		case rtmp.EventStatus:
			switch ev.Status.Code {
			case member.CodeClock:
				base, shift := member.ParseClock(ev.Status.Info)
				v.clock.SetClock(live.Clock{Base: base, Shift: shift})
			case rtmp.CodeReconnect:
				return outcome{asked: true, reason: event.NodeLeft, by: event.ByServer}
			case rtmp.CodePlayUnpublishNotify, rtmp.CodePlayStop, rtmp.CodePlayComplete:
				client.Status(v.p.Request.StreamID, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "The stream has ended.", nil)
				return over(event.StreamEnded, event.ByServer, nil)
			}
		}
	}
}

// clientFailed is how a carried play ends when its client cannot be written to.
func clientFailed(err error) (event.Reason, event.Side, error) {
	reason, by := session.WriteFailed(err)
	return reason, by, err
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
