package relay

import (
	"math/rand/v2"
	"time"
)

// ticks say when a connection is pinged: once in PeerPing, and all of this process at the same
// moments. Hundreds of pushes with a clock each would wake the process as often for each ping as
// they do for media, and again for each answer; together they wake it once, and the
// answers come together.
type ticks struct{ *time.Timer }

// tickPhase is this process's: servers that many push to are not asked by all of them at once.
var tickPhase = rand.N(PeerPing)

func newTicks() ticks { return ticks{time.NewTimer(untilTick(time.Now()))} }

// next has the next tick come. It is to be called after each.
func (t ticks) next(now time.Time) { t.Reset(untilTick(now)) }

// untilTick is the time to the next tick: more than nothing, and PeerPing at most.
func untilTick(now time.Time) time.Duration {
	return PeerPing - time.Duration(now.Add(tickPhase).UnixNano())%PeerPing
}
