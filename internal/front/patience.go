package front

import (
	"context"
	"math/rand/v2"
	"time"

	"weir/internal/media/relay"
)

// steadyTime is how long a server must have kept a session for its failure to be no
// part of the failures before. Why not smaller: a server that takes sessions and drops
// them at once would be tried again and again.
const steadyTime = 5 * time.Second

// maxWait bounds the wait between two tries. Why not relay.BackoffMax: a publisher is on air, or a
// player shows nothing meanwhile.
const maxWait = time.Second

// waits are those between the tries of one session: they grow, and are never two sessions' the same.
// The zero value is ready.
type waits struct{ last time.Duration }

// next is how long to wait before the next try.
func (w *waits) next() time.Duration {
	w.last = min(max(2*w.last, relay.BackoffMin), maxWait)
	return w.last/2 + rand.N(w.last/2+1)
}

// wait waits as long; false if ctx has ended.
func (w *waits) wait(ctx context.Context) bool { return pause(ctx, w.next()) }

// pause waits; false if ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

const (
	// rushEach is for how long each carried viewer spreads the tries of all: when a server dies,
	// all that it had come at once. Why not more: few of them would wait for nothing. Why not
	// less: a connect and its proof cost both sides a tenth of a millisecond.
	rushEach = 200 * time.Microsecond
	// maxRush bounds the wait. Why not larger: it adds to what a player has to have in its buffer.
	maxRush = time.Second
)

// rush waits so that n sessions that have lost their server together do not dial together; false
// if ctx has ended.
func rush(ctx context.Context, n int) bool {
	return pause(ctx, rand.N(min(time.Duration(n)*rushEach, maxRush)+1))
}

// strikes counts failures one after another, and spreads the tries that follow them.
type strikes struct {
	n     int
	lost  time.Time     // the last one
	owing time.Duration // for so long it has been without a server, less what it was served meanwhile
	waits waits
}

// failed notes that a server that took the session at began has failed, and waits before
// the next may be tried: the first time not at all. False: ctx has ended, or the session has been
// without a server for longer than limit, what it was served in between taken off.
func (s *strikes) failed(ctx context.Context, began time.Time, limit time.Duration) bool {
	now := time.Now()
	served := now.Sub(began)
	if served >= steadyTime {
		*s = strikes{}
	}
	if s.n > 0 {
		s.owing = max(0, s.owing+began.Sub(s.lost)-served)
	}
	s.n, s.lost = s.n+1, now
	if s.owing > limit {
		return false
	}
	return s.n == 1 || s.waits.wait(ctx)
}
