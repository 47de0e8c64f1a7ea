package play

import (
	"context"
	"errors"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"weir/amf"
	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// Publications tells which streams are published on this very node.
type Publications interface {
	// Feed returns the stream and its facts for another node's pull; ok is false
	// when it is not published here, whoever else has it: feeds come from the
	// owner only, so that they cannot go round in circles.
	Feed(name stream.Name) (s *live.Stream, facts member.FeedFacts, gone <-chan struct{}, ok bool)
}

// Options are a Service's parts and limits.
type Options struct {
	Pulls *relay.Pulls
	Local Publications
	Emit  event.Sink // of viewers over HTTP; those over RTMP are package session's
	// WriteStall ends an HTTP viewer that takes no byte for so long. RTMP viewers
	// have the hub's, and their connection's.
	WriteStall time.Duration
	// Number is a new session's; nil: those over HTTP have none.
	Number func() uint64
}

// Service serves viewers.
type Service struct {
	o       Options
	httpOut atomic.Int64           // bytes sent to HTTP viewers
	httpNow atomic.Int64           // len(http)
	bye     atomic.Pointer[[]byte] // see sharedTrailer

	mu       sync.Mutex
	walkers  map[*rtmp.ServerConn]*walker
	audience map[stream.Name]int  // viewers by stream, feeds not counted
	viewers  int                  // their sum
	http     map[*httpViewer]bool // false: released
}

// New returns a Service without viewers.
func New(o Options) *Service {
	return &Service{o: o, walkers: make(map[*rtmp.ServerConn]*walker), audience: make(map[stream.Name]int), http: make(map[*httpViewer]bool)}
}

// Viewers is how many viewers play now, feeds not counted.
func (s *Service) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewers
}

// Audience returns the number of viewers of each stream that has any.
func (s *Service) Audience() map[stream.Name]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.audience)
}

// count counts one viewer of a stream until done is called.
func (s *Service) count(name stream.Name) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewers++
	s.audience[name]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.viewers--
		if s.audience[name]--; s.audience[name] == 0 {
			delete(s.audience, name)
		}
	}
}

// RTMP starts a play for an RTMP session and answers it.
func (s *Service) RTMP(ctx context.Context, p *session.Play) (session.Player, error) {
	if p.Extra.Feed {
		return s.feed(p)
	}
	want, err := s.o.Pulls.Want(ctx, p.Name, position(p))
	if err != nil {
		return nil, refusal(err)
	}
	var facts amf.Object
	if p.Member != "" { // a front, whose viewer may have seen a higher epoch elsewhere
		facts = member.FeedFacts{Epoch: want.Stream().Epoch()}.Object()
	}
	preamble := p.Conn.AppendAcceptPlay(nil, p.Request, facts)
	if tcp, ok := p.Conn.NetConn().(*net.TCPConn); ok && p.Alone && p.Request.StreamID == live.StreamID {
		return s.pump(p, want, tcp, preamble)
	}
	return s.walk(p, want.Stream(), want.Release, preamble, nil), nil
}

// clocks is what tells another node of the stream's clocks; nil for other viewers.
func clocks(p *session.Play) func(live.Clock) []byte {
	if p.Member == "" {
		return nil
	}
	id := p.Request.StreamID // not p: it would stay for as long as the viewer does
	return func(c live.Clock) []byte { return member.AppendClock(nil, id, c.Base, c.Shift, live.ChunkSize) }
}

// position is what the other side has of the stream already.
func position(p *session.Play) live.Position {
	return live.Position{Base: p.Extra.Resume, At: p.Extra.At}
}

// feed serves another node's pull of a stream published here.
func (s *Service) feed(p *session.Play) (session.Player, error) {
	st, facts, gone, ok := s.o.Local.Feed(p.Name)
	if !ok {
		return nil, &session.Rejection{Code: rtmp.CodePlayStreamNotFound, Description: "not published here", Reason: event.NotFound}
	}
	return s.walk(p, st, st.Release, p.Conn.AppendAcceptPlay(nil, p.Request, facts.Object()), gone), nil
}

// refusal is the viewer's answer when its stream could not be had.
func refusal(err error) error {
	if errors.Is(err, relay.ErrNotFound) {
		return &session.Rejection{Code: rtmp.CodePlayStreamNotFound, Description: "No such stream.", Reason: event.NotFound}
	}
	return &session.Rejection{Code: rtmp.CodePlayFailed, Description: "The stream could not be fetched.", Reason: event.SourceLost, Err: err}
}

// trailer is what a viewer hears at the end of its stream.
func trailer(p *session.Play) []byte {
	id := p.Request.StreamID
	b := p.Conn.AppendStatus(nil, id, rtmp.LevelStatus, rtmp.CodePlayUnpublishNotify, "The stream has ended.", nil)
	return p.Conn.AppendStreamEOF(b, id)
}

// ending is what a viewer's end in package live means for its session.
func ending(r live.Reason) (event.Reason, event.Side) {
	switch r {
	case live.ReasonStalled:
		return event.WriteStalled, event.ByServer
	case live.ReasonWriteFailed:
		return event.ClientGone, event.ByClient
	case live.ReasonShutdown:
		return event.NodeStopping, event.ByServer
	case live.ReasonLeft:
		return event.ClientClosed, event.ByClient
	}
	return event.StreamEnded, event.ByServer
}
