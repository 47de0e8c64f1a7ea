package front

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// carried is one publisher whose session ends here and whose stream lives
// behind.
type carried struct {
	f        *Front
	p        *session.Publish
	timeline string
	stream   *live.Stream
	writer   *live.Writer
	cancel   context.CancelFunc
	done     chan struct{} // the pushing has ended
	silence  silence
	keys     keyBell
	wishes   chan *wish
	sent     atomic.Pointer[atomic.Int64] // the present server's count of bytes to it
	shown    atomic.Pointer[live.Stream]  // stream, once it is there
	server   atomic.Pointer[string]       // at.Node, for others

	// Front.mu guards these once the claim is held.
	held  Claim
	quiet func() time.Duration // since when a spliced publisher is silent

	// The pushing goroutine's own.
	push   *relay.Push
	at     Backend
	entry  Entry
	unlist func() // at a foreign server: the ledger's end of it there
	claim  Claim  // nil while the stream is a node's
}

// Publish carries a publisher to an origin and returns when that has accepted
// it.
func (f *Front) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	if p.Extra.Hops >= relay.MaxHops {
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Description: "Relayed too often: a loop between servers?", Reason: event.HopLimit}
	}
	if err := f.refuseLoop(&p.Client, rtmp.CodePublishRejected); err != nil {
		return nil, err
	}
	c := &carried{f: f, p: p, timeline: p.Extra.Timeline, done: make(chan struct{}), wishes: make(chan *wish)}
	if c.timeline == "" {
		c.timeline = rand.Text()
	}
	spliced, err := c.begin(ctx)
	if err != nil || spliced != nil {
		return spliced, err
	}
	// The connection's number keeps two publishers of one name apart here: which
	// of them may publish was the origin's to say.
	c.stream = f.o.Hub.Open(transitName(p.Name, p.Conn))
	w, err := c.stream.Attach(live.Source{Timeline: c.timeline})
	if err != nil {
		c.stream.Release()
		c.push.Close()
		c.leave()
		return nil, err
	}
	c.writer = w
	c.shown.Store(c.stream)
	ctx, c.cancel = context.WithCancel(f.ctx)
	go c.run(ctx)
	if f.o.FirstMedia > 0 && f.o.Silence > 0 {
		c.silence.begin()
		go c.watch(ctx)
	}
	return c, nil
}

// run pushes the stream until the client leaves, from server to server if it
// must.
func (c *carried) run(ctx context.Context) {
	defer close(c.done)
	var strikes strikes
	for {
		from, reason, began := c.at, event.NodeLeft, time.Now()
		asked, err := c.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errTaken) {
			c.giveUp(ctx, event.TakenOver, err)
			return
		}
		if !asked {
			reason = failure(err)
			c.f.backendFailed(c.p.Session, &from, event.PhaseMedia, reason, err)
			if !strikes.failed(ctx, began, moveDeadline) {
				c.giveUp(ctx, reason, err)
				return
			}
			if err := c.move(ctx, from.Node); err != nil {
				c.giveUp(ctx, reason, err)
				return
			}
		}
		c.f.moved(c.p.Session, &from, &c.at, reason)
	}
}

// follow runs the present push to its end. When its server asks the stream to go
// elsewhere, or somebody wishes it, the next push is opened before this one ends, so
// that there is no moment without an origin; asked is then true and c.push the next one.
func (c *carried) follow(ctx context.Context) (asked bool, err error) {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	left := false // the push goes on a little
	defer func() {
		if !left {
			cancel()
		}
	}()
	push, ended, over := c.push, make(chan error, 1), make(chan struct{})
	go func() {
		ended <- push.Run(ctx, c.stream)
		close(over)
	}()
	ask := push.Asked()
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	var waits waits
	for {
		var w *wish
		select {
		case err := <-ended:
			if !c.at.Foreign && taken(err) {
				err = errTaken
			}
			return false, err
		case <-c.lost():
			return false, errTaken
		case <-ask:
			ask = nil
		case w = <-c.wishes:
			// It may have left by itself before the wish was heard.
			if w.server != c.at.Node || !c.atKey(w, over) {
				close(w.done)
				continue
			}
		case <-retry.C:
		}
		err := c.open(ctx, leaving(c.at.Node))
		if w != nil {
			close(w.done)
		}
		if err == nil {
			// An old node hears from the registry that the stream is another's. Its push
			// ends now; a foreign server's viewers need it a little longer.
			left = true
			go func() {
				if w != nil && w.gentle {
					c.linger(outer)
				}
				cancel()
				<-over
				push.Close()
			}()
			return true, nil
		}
		// Nobody else can take it yet: stay as long as it may. A wish is repeated by
		// whoever has it.
		if w == nil {
			retry.Reset(waits.next())
		}
	}
}

// giveUp tells the client that its stream has no server.
func (c *carried) giveUp(ctx context.Context, reason event.Reason, err error) {
	if ctx.Err() != nil {
		return
	}
	code := rtmp.CodePublishRejected
	var r *session.Rejection
	switch {
	case errors.Is(err, errTaken):
		code = rtmp.CodePublishBadName
	case errors.As(err, &r):
		code = r.Code
		if r.Reason == event.Busy {
			reason = event.TakenOver
		}
	}
	// The client's reader may be in Write: it must not wait for this.
	go c.p.Evict(code, reason, err)
}

// failure is the word for why a server was given up.
func failure(err error) event.Reason {
	var refused *relay.RefusedError
	switch {
	case errors.As(err, &refused), errors.Is(err, relay.ErrHungUp):
		return event.BackendRefused
	case errors.Is(err, relay.ErrLost):
		return event.SourceLost
	case errors.Is(err, relay.ErrPeerSilent):
		return event.SourceSilent
	}
	return event.DialFailed
}

// Write is session.Publisher: into the stream, never waiting for the origin.
func (c *carried) Write(m *rtmp.Message) error {
	typ, payload, ok := ingest.Normalize(m)
	if !ok {
		return nil
	}
	c.silence.heard()
	if err := c.writer.WriteRun(typ, m.Timestamp, payload, m.More); err != nil {
		return err
	}
	c.sent.Load().Add(int64(len(payload)))
	c.keys.passed(m)
	return nil
}

// Patience is session.Publisher: what the push leaves of the viewers' bound.
func (c *carried) Patience() time.Duration {
	most := c.stream.Latency().Max
	return most - most/relay.WaitShare
}

// Prompt is session.Publisher; 40 ms as of publishers at an origin.
func (c *carried) Prompt() bool { return c.stream.Latency().Max < 40*time.Millisecond }

// Close is session.Publisher.
func (c *carried) Close() {
	c.writer.Close()
	c.cancel()
	<-c.done
	c.push.Close()
	c.stream.Release()
	c.leave()
}
