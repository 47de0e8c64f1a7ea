package front

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// viewer is one carried play.
type viewer struct {
	f       *Front
	p       *session.Play
	backend Backend
	conn    *rtmp.ClientConn
	id      uint32
	leave   sync.Once
	left    atomic.Bool
	over    chan struct{}
}

// Play carries a viewer to an edge and answers it when that has answered.
func (f *Front) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if p.Extra.Hops >= relay.MaxHops {
		return nil, &session.Rejection{Code: rtmp.CodePlayFailed, Description: "Relayed too often: a loop between servers?", Reason: event.HopLimit}
	}
	var exclude []string
	var last error
	for range maxTries {
		b, err := f.place(p.Session, f.o.Placer.Viewer, p.Name, exclude)
		if err != nil {
			return nil, noServer(rtmp.CodePlayFailed, errors.Join(err, last))
		}
		v := &viewer{f: f, p: p, backend: b, over: make(chan struct{})}
		err = v.open(ctx)
		b.done(err == nil)
		if err == nil {
			f.viewers.Add(1)
			go v.run()
			return v, nil
		}
		var refused *relay.RefusedError
		if errors.As(err, &refused) && refused.Code == rtmp.CodePlayStreamNotFound {
			return nil, &session.Rejection{Code: refused.Code, Description: refused.Description, Reason: event.NotFound}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		f.o.Emit.Emit(event.BackendFailed{Session: p.Session, Node: b.Node, Phase: event.PhasePlace, Reason: failure(err), Err: err})
		last = err
		exclude = append(exclude, b.Node)
	}
	return nil, noServer(rtmp.CodePlayFailed, last)
}

// open connects to the edge as the client and asks for the stream. The edge may
// hold the answer back for as long as it waits for the stream, so only the
// connecting has a limit; ctx ends with the client.
func (v *viewer) open(ctx context.Context) error {
	dctx, cancel := context.WithTimeout(ctx, relay.DialTimeout)
	defer cancel()
	nc, err := v.f.o.Dial(dctx, v.backend.Addr)
	if err != nil {
		return err
	}
	connect := connectAs(&v.p.Client, v.backend.Addr)
	conn, _, err := relay.ConnectMember(dctx, nc, v.f.o.Node, v.f.o.Secret(), &connect)
	if err != nil {
		nc.Close()
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	v.conn = conn
	if err := v.request(); err != nil {
		conn.Close()
		return err
	}
	return nil
}

// request says createStream and play and reads to the answer, on this goroutine:
// nothing else reads yet, so no media can slip past.
func (v *viewer) request() error {
	id, err := v.conn.CreateStreamNow()
	if err != nil {
		return err
	}
	v.id = id
	r := v.p.Request
	extra := member.PlayExtra{Hops: v.p.Extra.Hops + 1, Client: v.p.Facts}
	if err := v.conn.Send(id, "play", v.p.Name.String(), r.Start, r.Duration, r.Reset, extra.Object()); err != nil {
		return err
	}
	for {
		ev, err := v.conn.Next()
		if err != nil {
			return err
		}
		if ev.Kind != rtmp.EventStatus {
			continue
		}
		switch {
		case ev.Status.Code == rtmp.CodePlayStart:
			return nil
		case ev.Status.Level == rtmp.LevelError:
			return &relay.RefusedError{Code: ev.Status.Code, Description: ev.Status.Description}
		}
	}
}

// run forwards the edge's messages until either side ends.
func (v *viewer) run() {
	reason, by, err := v.forward()
	v.conn.Close()
	v.f.viewers.Add(-1)
	close(v.over)
	if !v.left.Load() {
		v.p.Ended(reason, by, err)
	}
}

func (v *viewer) forward() (event.Reason, event.Side, error) {
	client := v.p.Conn
	if err := client.AcceptPlay(v.p.Request, nil); err != nil {
		return clientFailed(err)
	}
	for {
		ev, err := v.conn.Next()
		if err != nil {
			return event.SourceLost, event.ByBackend, err
		}
		switch ev.Kind {
		case rtmp.EventMedia:
			m := *ev.Message
			m.StreamID = v.p.Request.StreamID
			if err := client.Queue(&m); err != nil {
				return clientFailed(err)
			}
			// One write for all that has arrived: a GOP comes in one piece, a live
			// frame at once.
			if !v.conn.Buffered() {
				if err := client.Flush(); err != nil {
					return clientFailed(err)
				}
			}
		case rtmp.EventStatus:
			if c := ev.Status.Code; c == rtmp.CodePlayUnpublishNotify || c == rtmp.CodePlayStop || c == rtmp.CodePlayComplete {
				client.Status(v.p.Request.StreamID, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "The stream has ended.", nil)
				return event.StreamEnded, event.ByServer, nil
			}
		}
	}
}

// clientFailed is how a carried play ends when its client cannot be written to.
func clientFailed(err error) (event.Reason, event.Side, error) {
	reason, by := session.WriteFailed(err)
	return reason, by, err
}

func (v *viewer) Pause(on bool) { v.conn.Send(v.id, "pause", on, 0) }

func (v *viewer) Receive(audio, video bool) {
	v.conn.Send(v.id, "receiveAudio", audio)
	v.conn.Send(v.id, "receiveVideo", video)
}

// Leave ends the play at the client's wish.
func (v *viewer) Leave() {
	v.leave.Do(func() {
		v.left.Store(true)
		v.conn.Close()
	})
	<-v.over
}
