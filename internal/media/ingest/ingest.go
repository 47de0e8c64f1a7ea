package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
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
	// Carried says that a front brings it, which judges the client's silence itself.
	Carried bool
}

// Publish claims the stream and returns the publication that feeds it. evict is
// called at most once if the publication is ended from outside.
func (s *Service) Publish(ctx context.Context, r Request, evict func(error)) (*Publication, error) {
	if r.Timeline == "" {
		r.Timeline = rand.Text()
	}
	p := &Publication{s: s, req: r, evict: evict, done: make(chan struct{}), ended: make(chan struct{}), raised: make(chan struct{})}
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
