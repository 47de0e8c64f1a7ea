package front

import (
	"context"
	"time"

	"weir/internal/media/relay"
)

// steadyTime is how long a server must have kept a session for its failure to be no
// part of the failures before. Why not smaller: a server that takes sessions and drops
// them at once would be tried again and again.
const steadyTime = 5 * time.Second

// strikes counts failures one after another, and spreads the tries that follow them.
type strikes struct {
	n     int
	first time.Time
}

// failed notes that a server that took the session at began has failed, and waits before
// the next may be tried: the first time not at all. False: ctx has ended, or it has gone
// on so for longer than limit.
func (s *strikes) failed(ctx context.Context, began time.Time, limit time.Duration) bool {
	now := time.Now()
	if now.Sub(began) >= steadyTime {
		s.n = 0
	}
	if s.n == 0 {
		s.first = now
	}
	s.n++
	if now.Sub(s.first) > limit {
		return false
	}
	if s.n == 1 {
		return true
	}
	t := time.NewTimer(min(relay.BackoffMin<<min(s.n-2, 8), time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
