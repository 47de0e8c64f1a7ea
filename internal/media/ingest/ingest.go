package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Registry is where ownership of a stream is claimed for the whole cluster.
type Registry interface {
	// Claim returns a claim, or a *BusyError that names the owner.
	Claim(ctx context.Context, r Request) (Claim, error)
}

// Claim is one held ownership. Release may be called once or more.
type Claim interface {
	// Epoch is zero while the claim is unconfirmed, and may grow. Changed is
	// closed when it does; get the channel first, then the epoch.
	Epoch() stream.Epoch
	Changed() <-chan struct{}
	Lost() <-chan struct{} // closed when a higher epoch, or nobody, owns the stream
	Release()
}

// BusyError says that the stream already has a publisher.
type BusyError struct {
	Name  stream.Name
	Owner string // node name; "" if unknown
}

func (e *BusyError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("stream %s is already being published", e.Name)
	}
	return fmt.Sprintf("stream %s is already being published at %s", e.Name, e.Owner)
}

// Evictions, as errors that say why a publication ended from outside.
var (
	ErrClosed    = errors.New("ingest: the publication is closed")
	ErrTakenOver = errors.New("ingest: a newcomer took over a silent publication")
	ErrFenced    = errors.New("ingest: a higher epoch owns the stream")
	ErrNoMedia   = errors.New("ingest: no media after the publish was accepted")
	ErrSilent    = errors.New("ingest: the publisher fell silent")
	ErrKicked    = errors.New("ingest: ended by an operator")
)

// Options are a Service's parts and limits.
type Options struct {
	Hub      *live.Hub
	Registry Registry
	Emit     event.Sink

	// FirstMedia and Silence end a publication that sends nothing: from the
	// accepted publish to the first message, and between messages.
	FirstMedia, Silence time.Duration
	// YieldAfter is how long a publication must have been silent before a
	// newcomer may replace it, so that a half-dead connection never locks a key.
	YieldAfter time.Duration

	// OnStart and OnEnd tell the rest of the node that a stream is about to have,
	// or has lost, a publisher here. They must not block.
	OnStart, OnEnd func(stream.Name)
}

// Service holds this node's publications.
type Service struct {
	o Options

	mu     sync.Mutex
	active map[stream.Name]*Publication // reserved before the claim is asked for
}

// New returns a Service without publications.
func New(o Options) *Service {
	return &Service{o: o, active: make(map[stream.Name]*Publication)}
}

// Request is what a session knows about the publisher.
type Request struct {
	Name stream.Name
	// Timeline identifies the publisher's clock across connections: a front that
	// moves a publisher hands the same one to the next origin. "" = a new clock.
	Timeline string
	Session  event.Session
	Encoder  string // what the client says of its software
}

// Publish claims the stream and returns the publication that feeds it. evict is
// called at most once if the publication is ended from outside.
func (s *Service) Publish(ctx context.Context, r Request, evict func(error)) (*Publication, error) {
	if r.Timeline == "" {
		r.Timeline = rand.Text()
	}
	p := &Publication{s: s, req: r, evict: evict, done: make(chan struct{}), raised: make(chan struct{})}
	p.last.Store(time.Now().UnixNano())
	if err := s.reserve(p); err != nil {
		return nil, err
	}
	claim, err := s.o.Registry.Claim(ctx, r)
	if err != nil {
		s.forget(p)
		return nil, err
	}
	p.claim = claim
	p.stream = s.o.Hub.Open(r.Name)
	changed := claim.Changed()
	p.epoch = claim.Epoch()
	if p.epoch.IsZero() {
		// Unconfirmed: the store is away. Under what the stream here had before,
		// so that its viewers can go on; a confirmed claim elsewhere is higher.
		p.epoch = p.stream.Epoch()
	}
	// Before the source is there: whoever ends the stream for want of a publisher
	// must not end this one.
	if s.o.OnStart != nil {
		s.o.OnStart(r.Name)
	}
	p.writer, err = p.stream.Attach(live.Source{Epoch: p.epoch, Timeline: r.Timeline})
	if err != nil {
		if s.o.OnEnd != nil {
			s.o.OnEnd(r.Name)
		}
		p.stream.Release()
		claim.Release()
		s.forget(p)
		return nil, err
	}
	p.began = time.Now()
	s.o.Emit.Emit(event.PublishStarted{Session: r.Session, Epoch: p.epoch, Resumed: p.stream.Info().Viewers > 0})
	go p.watch(changed)
	return p, nil
}

// reserve takes the local place for the name, evicting a silent holder.
func (s *Service) reserve(p *Publication) error {
	for {
		s.mu.Lock()
		held := s.active[p.req.Name]
		if held == nil {
			s.active[p.req.Name] = p
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		if !held.started.Load() || held.Silence() < s.o.YieldAfter {
			return &BusyError{Name: p.req.Name}
		}
		held.end(ErrTakenOver)
	}
}

func (s *Service) forget(p *Publication) {
	s.mu.Lock()
	if s.active[p.req.Name] == p {
		delete(s.active, p.req.Name)
	}
	s.mu.Unlock()
}

// Lookup returns the publication of a stream here, if there is one.
func (s *Service) Lookup(name stream.Name) (*Publication, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.active[name]
	if p == nil || !p.started.Load() {
		return nil, false
	}
	return p, true
}

// Silence is how long nothing has come from the publisher of a stream here;
// false if there is none. One whose claim is under way counts from its request: the
// registry may know of it already, and a newcomer elsewhere must not take it for
// gone.
func (s *Service) Silence(name stream.Name) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.active[name]
	if p == nil {
		return 0, false
	}
	return p.Silence(), true
}

// Len is the number of publications, those being claimed included.
func (s *Service) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active)
}

// All returns the publications that have started.
func (s *Service) All() []*Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Publication, 0, len(s.active))
	for _, p := range s.active {
		if p.started.Load() {
			all = append(all, p)
		}
	}
	return all
}

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

	started atomic.Bool  // set by watch: from now on a newcomer may judge its silence
	last    atomic.Int64 // arrival of the newest message, unix nanoseconds
	media   atomic.Bool  // a message has arrived
	bytes   atomic.Int64 // payload bytes accepted

	mu     sync.Mutex
	epoch  stream.Epoch  // guarded by mu after Publish
	raised chan struct{} // guarded by mu; closed when epoch grows, and at the end

	once sync.Once
	why  error // set before done is closed
	done chan struct{}
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
	Stream   *live.Stream // with a reference of the receiver's own
	Epoch    stream.Epoch
	Timeline string // see live.Stream
	// Over is closed when the publication has ended, or goes on under another
	// epoch, which the receiver must hear of by asking anew.
	Over <-chan struct{}
}

// Feed returns the publication for another node; false if it has ended.
func (p *Publication) Feed() (Feed, bool) {
	f := Feed{Stream: p.s.o.Hub.Open(p.req.Name)}
	f.Timeline = f.Stream.Timeline()
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

// Normalize returns a client's message as streams hold it, and false for what is
// not part of a stream. The payload is the message's own, without a
// "@setDataFrame" in front.
func Normalize(m *rtmp.Message) (typ rtmp.MessageType, payload []byte, ok bool) {
	typ, payload = m.Type, m.Payload
	switch typ {
	case rtmp.Audio, rtmp.Video:
		return typ, payload, true
	case rtmp.DataAMF3:
		// In all that clients send, AMF3 data is AMF0 behind one zero byte.
		if len(payload) == 0 || payload[0] != 0 {
			return 0, nil, false
		}
		payload = payload[1:]
	case rtmp.DataAMF0:
	default:
		return 0, nil, false
	}
	if body, ok := rtmp.StripSetDataFrame(payload); ok {
		payload = body
	}
	return rtmp.DataAMF0, payload, true
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
	if err := p.writer.Write(typ, m.Timestamp, payload); err != nil {
		select {
		case <-p.done:
			return p.why
		default:
		}
		if errors.Is(err, live.ErrFenced) {
			p.end(ErrFenced)
			return ErrFenced
		}
		return err
	}
	return nil
}

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

func (p *Publication) finish(why error) (first bool) {
	p.once.Do(func() {
		first = true
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
	})
	return first
}

// Reason is the word for why a publication ended.
func Reason(why error) event.Reason {
	switch {
	case errors.Is(why, ErrTakenOver):
		return event.TakenOver
	case errors.Is(why, ErrFenced):
		return event.StaleEpoch
	case errors.Is(why, ErrNoMedia):
		return event.FirstMediaTimeout
	case errors.Is(why, ErrSilent):
		return event.PublisherSilent
	case errors.Is(why, ErrKicked):
		return event.Kicked
	}
	return event.Unpublished
}

// watch ends the publication when its claim is lost or its client is silent, and
// follows the claim's epoch.
func (p *Publication) watch(changed <-chan struct{}) {
	p.started.Store(true)
	t := time.NewTimer(min(p.s.o.FirstMedia, p.s.o.Silence))
	defer t.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-p.claim.Lost():
			p.end(ErrFenced)
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

func (p *Publication) patience() time.Duration {
	if p.media.Load() {
		return p.s.o.Silence
	}
	return p.s.o.FirstMedia
}
