package front

import (
	"context"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"time"

	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/member"
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

	// The pushing goroutine's own.
	push *relay.Push
	node string
}

// Publish carries a publisher to an origin and returns when that has accepted
// it.
func (f *Front) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	if p.Extra.Hops >= relay.MaxHops {
		return nil, &session.Rejection{Code: rtmp.CodePublishRejected, Description: "Relayed too often: a loop between servers?", Reason: event.HopLimit}
	}
	c := &carried{f: f, p: p, timeline: p.Extra.Timeline, done: make(chan struct{})}
	if c.timeline == "" {
		c.timeline = rand.Text()
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	// The connection's number keeps two publishers of one name apart here: which
	// of them may publish was the origin's to say.
	c.stream = f.o.Hub.Open(transitName(p.Name, p.Conn))
	w, err := c.stream.Attach(live.Source{Timeline: c.timeline})
	if err != nil {
		c.stream.Release()
		c.push.Close()
		return nil, err
	}
	c.writer = w
	ctx, c.cancel = context.WithCancel(f.ctx)
	f.publishers.Add(1)
	go c.run(ctx)
	if f.o.FirstMedia > 0 && f.o.Silence > 0 {
		c.silence.begin()
		go c.watch(ctx)
	}
	return c, nil
}

// open finds a server and publishes there. A refusal that is about the stream,
// not about the server, ends the search.
func (c *carried) open(ctx context.Context, exclude ...string) error {
	var last error
	for range maxTries {
		b, err := c.f.place(c.p.Session, c.f.o.Placer.Publisher, c.p.Name, exclude)
		if err != nil {
			return noServer(rtmp.CodePublishRejected, errors.Join(err, last))
		}
		push, err := relay.OpenPush(ctx, relay.PushOptions{
			Dial: c.f.o.Dial, Addr: b.Addr, Node: c.f.o.Node, Secret: c.f.o.Secret(),
			Connect: connectAs(&c.p.Client, b.Addr), Path: c.p.Name.String(),
			Extra: member.PublishExtra{Timeline: c.timeline, Hops: c.p.Extra.Hops + 1, Client: c.p.Facts},
		})
		b.done(err == nil)
		if err == nil {
			c.push, c.node = push, b.Node
			return nil
		}
		var refused *relay.RefusedError
		if errors.As(err, &refused) && refused.Code == rtmp.CodePublishBadName {
			return &session.Rejection{Code: refused.Code, Description: refused.Description, Reason: event.Busy}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.f.o.Emit.Emit(event.BackendFailed{Session: c.p.Session, Node: b.Node, Phase: event.PhasePlace, Reason: failure(err), Err: err})
		last = err
		exclude = append(exclude, b.Node)
	}
	return noServer(rtmp.CodePublishRejected, last)
}

// run pushes the stream until the client leaves, from server to server if it
// must.
func (c *carried) run(ctx context.Context) {
	defer close(c.done)
	for {
		from, reason := c.node, event.NodeLeft
		asked, err := c.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if !asked {
			reason = failure(err)
			c.f.o.Emit.Emit(event.BackendFailed{Session: c.p.Session, Node: from, Phase: event.PhaseMedia, Reason: reason, Err: err})
			if err := c.move(ctx, from); err != nil {
				c.giveUp(ctx, reason, err)
				return
			}
		}
		c.f.o.Emit.Emit(event.BackendChanged{Session: c.p.Session, From: from, To: c.node, Reason: reason})
	}
}

// follow runs the present push to its end. When its server asks the stream to go
// elsewhere, the next push is opened before this one ends, so that there is no
// moment without an origin; asked is then true and c.push the next one.
func (c *carried) follow(ctx context.Context) (asked bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	push, ended := c.push, make(chan error, 1)
	go func() { ended <- push.Run(ctx, c.stream) }()
	ask := push.Asked()
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case err := <-ended:
			return false, err
		case <-ask:
			ask = nil
		case <-retry.C:
		}
		if c.open(ctx, c.node) == nil {
			// The old server hears from the registry that the stream is another's. Its
			// push ends with this function.
			cancel()
			go func() {
				<-ended
				push.Close()
			}()
			return true, nil
		}
		// Nobody else can take it yet: stay as long as it may.
		retry.Reset(time.Second)
	}
}

// giveUp tells the client that its stream has no server.
func (c *carried) giveUp(ctx context.Context, reason event.Reason, err error) {
	if ctx.Err() != nil {
		return
	}
	code := rtmp.CodePublishRejected
	var r *session.Rejection
	if errors.As(err, &r) {
		code = r.Code
	}
	// The client's reader may be in Write: it must not wait for this.
	go c.p.Evict(code, reason, err)
}

// move opens the next push, trying again until the deadline.
func (c *carried) move(ctx context.Context, failed string) error {
	ctx, cancel := context.WithTimeout(ctx, moveDeadline)
	defer cancel()
	wait := relay.BackoffMin
	for {
		err := c.open(ctx, failed)
		var r *session.Rejection
		if err == nil || errors.As(err, &r) && r.Reason == event.Busy {
			return err // another publisher has the stream now: not to be fought over
		}
		t := time.NewTimer(wait/2 + mrand.N(wait/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
		// Why not up to relay.BackoffMax: a publisher is on air, its viewers wait.
		wait = min(2*wait, time.Second)
	}
}

// failure is the word for why a server was given up.
func failure(err error) event.Reason {
	var refused *relay.RefusedError
	switch {
	case errors.As(err, &refused):
		return event.BackendRefused
	case errors.Is(err, relay.ErrLost):
		return event.SourceLost
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
	return c.writer.Write(typ, m.Timestamp, payload)
}

// Close is session.Publisher.
func (c *carried) Close() {
	c.writer.Close()
	c.cancel()
	<-c.done
	c.push.Close()
	c.stream.Release()
	c.f.publishers.Add(-1)
}
