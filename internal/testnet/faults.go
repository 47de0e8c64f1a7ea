package testnet

import (
	"math/rand/v2"
	"time"
)

// DefaultWindow is how much one direction holds before writers wait, in bytes. Why
// so large: in a synctest bubble a goroutine that waits for a mutex stops the
// clock, and a writer that waits for its peer may hold one. Tests of slow peers
// choose a smaller one, and use a [Proxy] where others want the writer's lock.
const DefaultWindow = 64 << 20

// Faults are how both directions of a link are, from its beginning. The zero value
// is a perfect network.
type Faults struct {
	Delay  time.Duration // one way
	Jitter time.Duration // up to so much more; bytes stay in order
	Rate   int           // bytes per second; 0 = any
	Piece  int           // largest segment, in bytes: 1 = every read gets one byte; 0 = any
	Window int           // bytes under way before a writer waits; 0 = DefaultWindow
	Seed   uint64        // of the jitter
}

func (f *Faults) window() int {
	if f.Window == 0 {
		return DefaultWindow
	}
	return f.Window
}

// due is when n bytes written now arrive, given when the last before them do.
func (f *Faults) due(now, last time.Time, n int, r *rand.Rand) time.Time {
	at := now.Add(f.Delay)
	if f.Jitter > 0 {
		at = at.Add(time.Duration(r.Int64N(int64(f.Jitter))))
	}
	if at.Before(last) {
		at = last
	}
	if f.Rate > 0 {
		at = at.Add(time.Duration(n) * time.Second / time.Duration(f.Rate))
	}
	return at
}
