package relay

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/media/live"
)

// taken is how much of a push its server has. Pings are answered in their order
// among the messages: the answer to one says that what was sent before it has been read, up
// to the last frame. TCP's own acknowledgement says less (it is the kernel's), and
// RTMP's comes once a window of megabytes.
type taken struct {
	sent atomic.Int64 // stream time of the newest message written; 0 = none

	mu     sync.Mutex
	stream *live.Stream       // nil: not running
	asks   [pingsUnderWay]ask // a ring
	next   int
}

// ask is a ping under way.
type ask struct {
	stamp uint32
	sent  int64
}

// begin returns up to where the servers before had the stream. If there was none, the stream
// keeps all that it can until this one has answered.
func (t *taken) begin(s *live.Stream) live.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stream = s
	from := s.Kept()
	if from.IsZero() {
		s.Keep(math.MinInt64)
	}
	return from
}

// asked notes a ping that is about to be sent; see [WatchAlive].
func (t *taken) asked(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sent := t.sent.Load(); sent != 0 {
		t.asks[t.next] = ask{uint32(now.UnixMilli()), sent}
		t.next = (t.next + 1) % len(t.asks)
	}
	return false
}

// unanswered keeps of the stream what was sent within the time in which a dead server is
// noticed, if not before.
func (t *taken) unanswered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sent := t.sent.Load(); sent != 0 && t.stream != nil {
		t.stream.Keep(sent - unansweredTime.Milliseconds())
	}
}

// answered notes the answer to a ping.
func (t *taken) answered(stamp uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stream == nil {
		return
	}
	for _, a := range t.asks {
		if a.stamp != stamp || a.sent == 0 {
			continue
		}
		t.stream.Keep(a.sent - handOver.Milliseconds())
		return
	}
}
