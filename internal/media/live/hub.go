package live

import (
	"crypto/rand"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"weir/internal/stream"
)

// Hub holds the streams of a process and the pumps that serve their viewers.
type Hub struct {
	// Static after NewHub.
	opts  Options
	start time.Time
	id    string // a word that no other hub has
	pumps []*pump
	wg    sync.WaitGroup

	mu      sync.Mutex
	streams map[stream.Name]*Stream
	closed  bool
}

// NewHub returns a hub with its pumps running.
func NewHub(o Options) *Hub {
	h := &Hub{opts: o.withDefaults(), start: time.Now(), id: rand.Text(), streams: map[stream.Name]*Stream{}}
	for i := range h.opts.Pumps {
		p := newPump(h, i)
		h.pumps = append(h.pumps, p)
		h.wg.Go(p.run)
	}
	return h
}

// Close ends every viewer and cursor with ReasonShutdown and returns when the
// pumps have stopped. It must not be called from OnEnd.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	all := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	for _, s := range all {
		s.endCursors(ReasonShutdown)
	}
	for _, p := range h.pumps {
		p.post(mail{op: opStop})
	}
	h.wg.Wait()
}

// Open returns the stream of that name, made if need be, with one more
// reference, which the caller gives back with [Stream.Release].
func (h *Hub) Open(name stream.Name) *Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.streams[name]
	if s == nil {
		s = newStream(h, name)
		h.streams[name] = s
	}
	s.holds++
	return s
}

// Lookup returns the stream of that name, if there is one, with one more
// reference, like [Hub.Open].
func (h *Hub) Lookup(name stream.Name) (*Stream, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.streams[name]
	if s != nil {
		s.holds++
	}
	return s, s != nil
}

// Streams yields the streams there are, without references: for Info only.
func (h *Hub) Streams() iter.Seq[*Stream] {
	h.mu.Lock()
	all := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	return slices.Values(all)
}

func (h *Hub) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

func (h *Hub) hold(s *Stream) {
	h.mu.Lock()
	s.holds++
	h.mu.Unlock()
}

// release takes one reference off; without any, the stream goes.
func (h *Hub) release(s *Stream) {
	h.mu.Lock()
	if s.holds--; s.holds == 0 && h.streams[s.name] == s {
		delete(h.streams, s.name)
	}
	h.mu.Unlock()
}

// now is the time since the hub was made.
func (h *Hub) now() time.Duration { return time.Since(h.start) }

// stamp is a time since the hub was made in ms, modulo 2^32. Only differences
// mean something, and only below 24 days.
type stamp uint32

func stampOf(d time.Duration) stamp { return stamp(d / time.Millisecond) }

// until is how long before now s was; never negative.
func (s stamp) until(now stamp) time.Duration {
	return time.Duration(max(0, int32(now-s))) * time.Millisecond
}

// pick returns the pump for a new viewer: the one with the fewest.
func (h *Hub) pick() *pump {
	return slices.MinFunc(h.pumps, func(a, b *pump) int { return int(a.viewers.Load() - b.viewers.Load()) })
}
