package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"weir/internal/deadline"
	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// Registry is where ownership of a stream is claimed for the whole cluster.
type Registry interface {
	// Claim returns a claim, or a *BusyError that names the owner. Whether a newcomer may
	// have what somebody holds is the registry's to say, also where that is held here:
	// [Service.Lookup] finds it. What has begun when ctx ends takes deadline.Store more at most.
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

	// OnStart and OnEnd tell the rest of the node that a stream is about to have,
	// or has lost, a publisher here. They must not block.
	OnStart, OnEnd func(stream.Name)
}

// Service holds this node's publications.
type Service struct {
	o Options

	mu       sync.Mutex
	active   map[stream.Name]*Publication
	claiming map[stream.Name]*Publication // newcomers whose claim is under way, one a name
}

// New returns a Service without publications.
func New(o Options) *Service {
	return &Service{o: o, active: make(map[stream.Name]*Publication), claiming: make(map[stream.Name]*Publication)}
}

// Request is what a session knows about the publisher.
type Request struct {
	Name stream.Name
	// Timeline identifies the publisher's clock across connections: a front that
	// moves a publisher hands the same one to the next origin. "" = a new clock.
	Timeline string
	Session  event.Session
	Encoder  string // what the client says of its software
	// Carried says that a front brings it, which judges the client's silence itself, and
	// Moved that it has been on air before: it is no newcomer.
	Carried, Moved bool
}

// Publish claims the stream and returns the publication that feeds it. What fed it here until
// now is ended. evict is called at most once if the publication is ended from outside.
func (s *Service) Publish(ctx context.Context, r Request, evict func(error)) (*Publication, error) {
	if r.Timeline == "" {
		r.Timeline = rand.Text()
	}
	p := &Publication{s: s, req: r, evict: evict, done: make(chan struct{}), ended: make(chan struct{}),
		raised: make(chan struct{}), claimed: make(chan struct{})}
	// One time for both: the wait for other claims of the name is at the expense of the own.
	cctx, cancel := context.WithTimeout(ctx, deadline.Begin)
	defer cancel()
	if err := s.reserve(cctx, p); err != nil {
		return nil, err
	}
	defer s.settled(p)
	claim, err := s.o.Registry.Claim(cctx, r)
	if err != nil {
		return nil, err
	}
	if old, ok := s.Lookup(r.Name); ok {
		// Its claim is lost already. The newcomer does not wait until it has been told.
		if why := old.givesWay(p); old.finish(why) && old.evict != nil {
			go old.evict(why)
		}
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
		return nil, err
	}
	p.began = time.Now()
	s.mu.Lock()
	s.active[r.Name] = p
	s.mu.Unlock()
	s.o.Emit.Emit(event.PublishStarted{Session: r.Session, Epoch: p.epoch, Resumed: p.stream.Info().Viewers > 0})
	go p.watch(changed)
	return p, nil
}

// reserve makes p the newcomer whose claim is under way, after those before it.
func (s *Service) reserve(ctx context.Context, p *Publication) error {
	for {
		s.mu.Lock()
		before := s.claiming[p.req.Name]
		if before == nil {
			p.last.Store(time.Now().UnixNano())
			s.claiming[p.req.Name] = p
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		select {
		case <-before.claimed:
		case <-ctx.Done():
			return fmt.Errorf("ingest: waiting for another claim of stream %s: %w", p.req.Name, ctx.Err())
		}
	}
}

// settled is the end of p's claiming: it is active, or has failed.
func (s *Service) settled(p *Publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.claiming, p.req.Name)
	close(p.claimed)
}

func (s *Service) forget(p *Publication) {
	s.mu.Lock()
	if s.active[p.req.Name] == p {
		delete(s.active, p.req.Name)
	}
	s.mu.Unlock()
}

// lost is why a publication whose claim is another's has to end.
func (s *Service) lost(p *Publication) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by := s.claiming[p.req.Name]; by != nil && by != p {
		return p.givesWay(by)
	}
	if by := s.active[p.req.Name]; by != nil && by != p {
		return p.givesWay(by)
	}
	return ErrFenced
}

// givesWay is why a publication ends for another here: who is carried goes on if it is the same publisher, and must not if
// it is a newcomer.
func (p *Publication) givesWay(by *Publication) error {
	if by.req.Timeline == p.req.Timeline {
		return ErrHandedOver
	}
	return ErrTakenOver
}

// Lookup returns the publication of a stream here, if there is one.
func (s *Service) Lookup(name stream.Name) (*Publication, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.active[name]
	return p, p != nil
}

// Silence is how long nothing has come from the publisher of a stream here;
// false if there is none. One whose claim is under way counts from its request: the
// registry may know of it already, and a newcomer elsewhere must not take it for
// gone.
func (s *Service) Silence(name stream.Name) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.claiming[name]
	if p == nil {
		p = s.active[name]
	}
	if p == nil {
		return 0, false
	}
	return p.Silence(), true
}

// Len is the number of publications, those being claimed included.
func (s *Service) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active) + len(s.claiming)
}

// All returns the publications.
func (s *Service) All() []*Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.active))
}
