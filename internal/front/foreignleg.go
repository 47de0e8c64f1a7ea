package front

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/rtmp"
)

const (
	// playAnswer is how long a foreign server may take to answer createStream and
	// play. Why not larger: the client waits, and another server may know better.
	playAnswer = 4 * time.Second
	// heldMessages and heldBytes bound what is kept of a new leg until its first key
	// frame: headers and metadata.
	heldMessages = 64
	heldBytes    = 1 << 20
	// soundOnly is how many frames of sound without a picture make a stream that
	// waits for no key frame: about a second.
	soundOnly = 50
)

// foreignLeg is what a leg to a foreign server has besides.
type foreignLeg struct {
	entry Entry // of nodes too, where nobody reads it
	pongs atomic.Int64
	held  []rtmp.Message // read already; the forwarding goroutine's once the leg is used
	hearing
}

// openForeignLeg connects to a server that is no node, as the client, and asks for the stream.
func (f *Front) openForeignLeg(ctx context.Context, p *session.Play, b Backend) (*leg, error) {
	connect := foreignConnect(&p.Client, p.Name)
	conn, err := relay.DialStranger(ctx, f.dialer(&b, &p.Client), b.Addr, &connect, f.mark(&p.Client))
	if err != nil {
		return nil, err
	}
	l := f.newLeg(b, conn)
	if b.SameClock {
		if at, ok := f.o.Registry.At(p.Name); ok && at.Server == b.Node {
			l.timeline = at.Timeline
		}
	}
	stop := context.AfterFunc(ctx, l.close)
	conn.SetReadDeadline(time.Now().Add(playAnswer))
	err = l.requestForeign(p)
	conn.SetReadDeadline(time.Time{})
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		l.close()
		return nil, relay.HungUp(err)
	}
	l.note(time.Now())
	go func() {
		if relay.WatchStranger(l, &l.foreign.pongs, l.done, l.note) != nil {
			l.close()
		}
	}()
	return l, nil
}

// requestForeign is request in the client's own words.
func (l *leg) requestForeign(p *session.Play) (err error) {
	if l.id, err = l.conn.CreateStreamNow(); err != nil {
		var refused *rtmp.StatusError
		if errors.As(err, &refused) {
			return &relay.RefusedError{Code: refused.Status.Code, Description: refused.Status.Description}
		}
		return err
	}
	r := p.Request
	args := append([]any{foreignName(&p.Client, p.Name, r.Name, r.Query)}, rest(r.Args, 1)...)
	if p.Member != "" {
		args = append(args[:1], r.Start, r.Duration, r.Reset)
	}
	if err := l.conn.Send(l.id, "play", args...); err != nil {
		return err
	}
	for {
		ev, err := l.next()
		switch {
		case err != nil:
			return err
		case ev.Kind == rtmp.EventMedia && ev.StreamID == l.id:
			// Some say the headers before the answer.
			if !l.hold(ev.Message) {
				return nil
			}
			continue
		case ev.Kind != rtmp.EventStatus:
			continue
		case ev.Status.Code == rtmp.CodePlayStart:
			return nil
		case ev.Status.Level == rtmp.LevelError || ev.Status.Code == rtmp.CodePlayFailed || ev.Status.Code == rtmp.CodePlayStreamNotFound:
			return &relay.RefusedError{Code: ev.Status.Code, Description: ev.Status.Description}
		}
	}
}

// hold keeps a message for the forwarding goroutine; false if there are too many.
func (l *leg) hold(m *rtmp.Message) bool {
	n := len(m.Payload)
	for i := range l.foreign.held {
		n += len(l.foreign.held[i].Payload)
	}
	if len(l.foreign.held) >= heldMessages || n > heldBytes {
		return false
	}
	kept := *m
	kept.Payload = bytes.Clone(m.Payload)
	l.foreign.held = append(l.foreign.held, kept)
	return true
}

// read is what the server says next.
func (l *leg) read() (rtmp.Event, error) {
	if h := l.foreign.held; len(h) > 0 {
		m := h[0]
		if l.foreign.held = h[1:]; len(h) == 1 {
			l.foreign.held = nil
		}
		return rtmp.Event{Kind: rtmp.EventMedia, StreamID: m.StreamID, Message: &m}, nil
	}
	ev, err := l.next()
	if err == nil && ev.Kind == rtmp.EventUserControl && ev.Control.Event == rtmp.PingResponse {
		l.foreign.pongs.Add(1)
	}
	return ev, err
}

// buffered reports whether more can be read without waiting.
func (l *leg) buffered() bool { return len(l.foreign.held) > 0 || l.conn.Buffered() }

// interrupt ends the reading of the leg, soon.
func (l *leg) interrupt(in time.Duration) { l.conn.SetReadDeadline(time.Now().Add(in)) }

// untilKey reads to the first key frame, or to sound that has no picture, and keeps that
// and the headers before it. A server may begin anywhere within a group; who comes from another one
// has pictures until then.
func (l *leg) untilKey(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.interrupt(0) })
	defer stop()
	l.conn.SetReadDeadline(time.Now().Add(keyWait))
	sounds, picture := 0, false
	for {
		ev, err := l.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errNoKey
		}
		if err != nil {
			return err
		}
		switch {
		case ev.Kind == rtmp.EventUserControl && ev.Control.Event == rtmp.PingResponse:
			l.foreign.pongs.Add(1)
		case ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError:
			return &relay.RefusedError{Code: ev.Status.Code, Description: ev.Status.Description}
		}
		if ev.Kind != rtmp.EventMedia {
			continue
		}
		m := ev.Message
		sound, frame := coded(m)
		first := frame && isKey(m)
		switch {
		case sound && frame:
			sounds++
			first = !picture && sounds > soundOnly
		case m.Type == rtmp.Video:
			picture = true
		}
		if frame && !first {
			continue
		}
		if !l.hold(m) {
			return errNoKey
		}
		if first {
			if !stop() {
				return context.Cause(ctx)
			}
			l.conn.SetReadDeadline(time.Time{})
			return nil
		}
	}
}

var errNoKey = errors.New("front: no key frame came from there")
