package ingest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Publication is one accepted publisher.
type Publication struct {
	// Fixed before the publication is returned.
	s      *Service
	req    Request
	claim  Claim
	stream *live.Stream
	writer *live.Writer
	evict  func(error)
	began  time.Time

	claimed chan struct{} // closed when the registry has answered; see Service.settled
	last    atomic.Int64  // arrival of the newest message, unix nanoseconds
	media   atomic.Bool   // a message has arrived
	bytes   atomic.Int64  // payload bytes accepted

	mu     sync.Mutex
	epoch  stream.Epoch  // guarded by mu after Publish
	raised chan struct{} // guarded by mu; closed when epoch grows, and at the end

	ending atomic.Bool // the first to set it ends the publication
	why    error       // set before done is closed
	done   chan struct{}
	ended  chan struct{} // closed when nothing of it is left
}

// Name is what is published.
func (p *Publication) Name() stream.Name { return p.req.Name }

// Epoch is the fence under which the publication writes now.
func (p *Publication) Epoch() stream.Epoch {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epoch
}

// Claim is what the registry granted.
func (p *Publication) Claim() Claim { return p.claim }

// Info is what is known of the stream that the publication feeds.
func (p *Publication) Info() live.Info { return p.stream.Info() }

// Feed is what another node needs to follow a publication.
type Feed struct {
	Stream *live.Stream // with a reference of the receiver's own
	Epoch  stream.Epoch
	// Over is closed when the publication has ended, or goes on under another
	// epoch, which the receiver must hear of by asking anew.
	Over <-chan struct{}
}

// Feed returns the publication for another node; false if it has ended.
func (p *Publication) Feed() (Feed, bool) {
	f := Feed{Stream: p.s.o.Hub.Open(p.req.Name)}
	p.mu.Lock()
	f.Epoch, f.Over = p.epoch, p.raised
	p.mu.Unlock()
	select {
	case <-p.done:
		f.Stream.Release()
		return Feed{}, false
	default:
		return f, true
	}
}

// raise follows the claim's epoch.
func (p *Publication) raise(e stream.Epoch) {
	p.writer.Raise(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.raised != nil && p.epoch.Less(e) {
		p.epoch = e
		close(p.raised)
		p.raised = make(chan struct{})
	}
}

// Silence is how long ago the newest message arrived.
func (p *Publication) Silence() time.Duration {
	return time.Duration(time.Now().UnixNano() - p.last.Load())
}

// Write appends one message. It never waits for a viewer. After an eviction it
// returns the reason.
func (p *Publication) Write(m *rtmp.Message) error {
	typ, payload, ok := Normalize(m)
	if !ok {
		return nil
	}
	p.last.Store(time.Now().UnixNano())
	p.media.Store(true)
	p.bytes.Add(int64(len(payload)))
	if err := p.writer.WriteRun(typ, m.Timestamp, payload, m.More); err != nil {
		select {
		case <-p.done:
			return p.why
		default:
		}
		if errors.Is(err, live.ErrFenced) {
			why := p.s.lost(p)
			go p.end(why) // it may wait for the store, and this must not
			return why
		}
		return err
	}
	return nil
}

// Prompt reports whether viewers get messages so soon that 20 ms before they are read would
// be much: half of what a stream may hold back, or more.
func (p *Publication) Prompt() bool { return p.stream.Latency().Max < 40*time.Millisecond }

// Close ends the publication from the session's side and gives the claim back.
func (p *Publication) Close() { p.finish(ErrClosed) }

// Kick ends the publication and its session.
func (p *Publication) Kick() { p.end(ErrKicked) }

// end is finish from outside: the session is told.
func (p *Publication) end(why error) {
	if p.finish(why) && p.evict != nil {
		p.evict(why)
	}
}

// finish ends the publication, or waits until whoever was first has.
func (p *Publication) finish(why error) (first bool) {
	if p.ending.Swap(true) {
		<-p.ended
		return false
	}
	defer close(p.ended)
	p.why = why
	close(p.done)
	p.mu.Lock()
	close(p.raised)
	p.raised = nil
	p.mu.Unlock()
	p.writer.Close()
	// The name is free here before the claim is: a newcomer that gets the
	// claim must not find the old publication in its way.
	p.s.forget(p)
	// Before the claim, which may wait for the store: viewers look elsewhere now.
	if p.s.o.OnEnd != nil {
		p.s.o.OnEnd(p.req.Name)
	}
	p.claim.Release()
	p.stream.Release()
	p.s.o.Emit.Emit(event.PublishEnded{Session: p.req.Session, Epoch: p.Epoch(), Reason: Reason(why),
		BytesIn: p.bytes.Load(), Dur: time.Since(p.began)})
	return true
}

// watch ends the publication when its claim is lost or its client is silent, and
// follows the claim's epoch.
func (p *Publication) watch(changed <-chan struct{}) {
	t := time.NewTimer(min(p.s.o.FirstMedia, p.s.o.Silence))
	defer t.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-p.claim.Lost():
			p.end(p.s.lost(p))
			return
		case <-changed:
			changed = p.claim.Changed()
			p.raise(p.claim.Epoch())
		case <-t.C:
			left := p.patience() - p.Silence()
			switch {
			case left > 0:
				t.Reset(left)
			case p.media.Load():
				p.end(ErrSilent)
				return
			default:
				p.end(ErrNoMedia)
				return
			}
		}
	}
}

// carriedGrace is what a carried publication gets on top of the limits for
// silence. A front has the same limits; were this end the first to act, the front
// would carry its client on to the next origin. Why not longer: the front's own
// silence is noticed by pings.
const carriedGrace = time.Second

func (p *Publication) patience() time.Duration {
	limit := p.s.o.FirstMedia
	if p.media.Load() {
		limit = p.s.o.Silence
	}
	if p.req.Carried {
		limit += carriedGrace
	}
	return limit
}
