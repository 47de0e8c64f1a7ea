package bench

import (
	"sync"
	"time"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// sample is a viewer that is parsed to the end.
type sample struct {
	latency *histogram // of all samples, in the window

	mu      sync.Mutex
	counter *stamp.Counter
	window  bool
	last    time.Time // arrival of the last frame
	gap     time.Duration
}

func newSample(t Target, latency *histogram) *sample {
	return &sample{counter: stamp.NewCounter(t.Key(), 0), latency: latency}
}

// observe takes a message that arrived at now.
func (s *sample) observe(m *rtmp.Message, now time.Time) {
	if m.Type != rtmp.Audio && m.Type != rtmp.Video {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.counter.Report()
	s.counter.Observe(uint8(m.Type), m.Timestamp, m.Payload, now)
	after := s.counter.Report()
	if s.window {
		s.gap = max(s.gap, now.Sub(s.last))
		if after.Video+after.Audio > before.Video+before.Audio {
			s.latency.record(after.TotalDelay - before.TotalDelay)
		}
	}
	s.last = now
}

// open begins the window: latency and gaps count from here.
func (s *sample) open(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window, s.last, s.gap = true, now, 0
}

// shut ends it and returns the longest gap, one that has not ended included.
func (s *sample) shut(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window = false
	return max(s.gap, now.Sub(s.last))
}

// addTo adds the counts to f.
func (s *sample) addTo(f *Frames) {
	s.mu.Lock()
	r := s.counter.Report()
	s.mu.Unlock()
	f.Viewers++
	f.Received += uint64(r.Video + r.Audio)
	f.Lost += r.Lost
	f.Doubled += r.Doubled
	f.Foreign += r.Foreign
	f.Unstamped += r.Unstamped
	f.Backwards += r.Backwards
	f.NoHeader += r.HeadersMissing
}
