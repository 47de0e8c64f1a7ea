package relay

import (
	"math/rand/v2"
	"time"
)

// backoff is a jittered exponential wait. The zero value is ready; the first
// wait is zero, because the usual cause of a first failure is that the stream
// has just moved.
type backoff struct{ last time.Duration }

// next returns the time to wait before the next attempt.
func (b *backoff) next() time.Duration {
	if b.last == 0 {
		b.last = BackoffMin
		return 0
	}
	d := b.last/2 + rand.N(b.last/2+1)
	b.last = min(2*b.last, BackoffMax)
	return d
}

// reset forgets past failures after a success.
func (b *backoff) reset() { b.last = 0 }
