package front

import (
	"context"
	"sync/atomic"
	"time"

	"weir/internal/media/ingest"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// silence is since when a carried publisher has said nothing.
type silence struct {
	last  atomic.Int64 // Unix nanoseconds: the newest message, or the beginning
	media atomic.Bool  // there was one
}

func (s *silence) begin() { s.last.Store(time.Now().UnixNano()) }

func (s *silence) heard() {
	s.begin()
	s.media.Store(true)
}

func (s *silence) lasts() time.Duration {
	return time.Duration(time.Now().UnixNano() - s.last.Load())
}

// watch ends a carried publisher that is silent. Its origin has the same limits,
// but can only end its own publication of it, after which the client would be
// carried to the next origin, and so on for as long as its connection stands.
func (c *carried) watch(ctx context.Context) {
	for {
		limit, reason, why := c.f.o.FirstMedia, event.FirstMediaTimeout, ingest.ErrNoMedia
		if c.silence.media.Load() {
			limit, reason, why = c.f.o.Silence, event.PublisherSilent, ingest.ErrSilent
		}
		left := limit - c.silence.lasts()
		if left <= 0 {
			c.p.Evict(rtmp.CodePublishRejected, reason, why)
			return
		}
		// A first message changes the limit to the shorter one.
		t := time.NewTimer(min(left, c.f.o.Silence))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}
