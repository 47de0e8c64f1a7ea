package discovery

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/secret"
)

// SRSSource is the source of servers that register themselves.
const SRSSource = "srs"

// SRSOptions are the registration listener's.
type SRSOptions struct {
	Token  secret.String  // as a bearer token or ?token=; unset: none is asked for
	Trust  []netip.Prefix // who may register; none: everybody
	Expire time.Duration  // DefaultExpire if 0
	// Describe makes a backend of a registration. API is where its HTTP API is, if it says so.
	Describe func(f Found, api string) fleet.Backend
}

// SRS is the servers that register themselves as they would with srs-proxy: SRS with a heartbeat to
// /api/v1/srs/register. Each call keeps its server for Expire; a server that was started anew is another (its
// identity is server-service-pid), and replaces the one that had its address. The summaries that SRS may send along
// are the server's load.
type SRS struct {
	view
	s SRSOptions

	srsMu      sync.Mutex
	registered map[string]*registration // by identity
	at         map[string]string        // identity by RTMP address
	tokens     float64                  // of new registrations
	refilled   time.Time
}

type registration struct {
	beat     beat
	seen     time.Time
	backend  fleet.Backend
	counters counters
	said     time.Time // when it last said its load; zero if it never has
}

// NewSRS returns the source; Run expires, Serve listens.
func NewSRS(o Options, s SRSOptions) *SRS {
	s.Expire = cmp.Or(s.Expire, DefaultExpire)
	return &SRS{view: view{o: o, source: SRSSource}, s: s, registered: map[string]*registration{}, at: map[string]string{}, tokens: newBurst}
}

// Run forgets servers that do not call any more, until ctx ends.
func (s *SRS) Run(ctx context.Context) {
	for sleep(ctx, min(time.Second, s.s.Expire/4)) {
		s.expire(time.Now())
	}
}

func (s *SRS) expire(now time.Time) {
	s.srsMu.Lock()
	defer s.srsMu.Unlock()
	for id, r := range s.registered {
		switch {
		case now.Sub(r.seen) >= s.s.Expire:
			s.forget(id, r)
		case r.backend.Load.Kind == fleet.LoadRegistered && now.Sub(r.said) >= saidFor:
			// It calls, and says nothing of its load any more: what it said would stand for ever.
			r.counters = counters{}
			s.redescribe(id, r, s.describe(&r.beat, false))
		}
	}
}

// forget needs s.srsMu.
func (s *SRS) forget(id string, r *registration) {
	delete(s.registered, id)
	if s.at[r.backend.RTMP] == id {
		delete(s.at, r.backend.RTMP)
	}
	s.o.Backends.Drop(s.source, id)
	s.count(0, 1)
}

// fullError: more have registered than are believed in.
type fullError struct{ why string }

func (e *fullError) Error() string { return e.why }

// beat registers a server, or keeps it.
func (s *SRS) beat(b beat, now time.Time) error {
	s.srsMu.Lock()
	defer s.srsMu.Unlock()
	id := b.identity()
	r := s.registered[id]
	if r == nil {
		if err := s.admit(now); err != nil {
			return err
		}
	}
	if r == nil || r.beat.rtmp != b.rtmp || r.beat.http != b.http || r.beat.api != b.api {
		d := s.describe(&b, b.summaries != nil)
		if other := s.at[b.rtmp]; other != "" && other != id {
			s.forget(other, s.registered[other]) // two processes cannot have one address: that one is gone
		}
		if err := s.o.Backends.Put(s.source, d); err != nil {
			s.o.Backends.Drop(s.source, id) // so that it does not wait for the name for ever
			return err
		}
		if r == nil {
			r = &registration{}
			s.registered[id] = r
			s.count(1, 0)
		} else if s.at[r.backend.RTMP] == id {
			delete(s.at, r.backend.RTMP)
		}
		r.backend = d
		s.at[b.rtmp] = id
	}
	r.beat, r.seen = b, now
	if b.summaries != nil && !r.said.IsZero() && r.backend.Load.Kind == fleet.LoadSRS {
		s.redescribe(id, r, s.describe(&b, true)) // it says it again
	}
	if b.summaries != nil && r.backend.Load.Kind == fleet.LoadRegistered {
		r.said = now
		s.o.Backends.SetRegistered(id, r.counters.load(b.summaries))
	}
	return nil
}

// describe makes a backend of a call.
func (s *SRS) describe(b *beat, says bool) fleet.Backend {
	d := s.s.Describe(Found{Name: b.identity(), RTMP: b.rtmp, HTTP: b.http, Weight: 1}, b.api)
	if says && d.Load.Kind == fleet.LoadSRS {
		d.Load.Kind = fleet.LoadRegistered // it says so itself: nobody has to ask
	}
	return d
}

// redescribe needs s.srsMu.
func (s *SRS) redescribe(id string, r *registration, d fleet.Backend) {
	if err := s.o.Backends.Put(s.source, d); err != nil {
		s.bad(err)
		return
	}
	r.backend = d
}

// admit lets a new server in, unless too many come. It needs s.srsMu.
func (s *SRS) admit(now time.Time) error {
	if len(s.registered) >= maxRegistered {
		return &fullError{fmt.Sprintf("%d servers have registered: that is all", maxRegistered)}
	}
	if !s.refilled.IsZero() {
		s.tokens = min(newBurst, s.tokens+now.Sub(s.refilled).Seconds()*newPerSecond)
	}
	s.refilled = now
	if s.tokens < 1 {
		return &fullError{"too many new servers at a time"}
	}
	s.tokens--
	return nil
}

// count says that servers came or went.
func (s *SRS) count(added, removed int) {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.changedBy(added, removed)
}
