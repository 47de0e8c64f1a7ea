package live

import "time"

const (
	// shareOfTime: a pump spends at most one part in so many on passes, as long
	// as the latency bound allows. With 20 viewers a pass takes tens of
	// microseconds and messages go out as they come; at 500 it takes 1.5 ms a core
	// and a write takes along what came in 100 ms. Why not smaller: at 10, 500
	// viewers cost 2.0-2.8 CPU-s/GB instead of 0.6. Why not larger: at 100 viewers
	// the wait is 10 ms already.
	shareOfTime = 64
	// minRest: below it a timer costs more than it saves, and comes late.
	minRest = 500 * time.Microsecond
)

// rest is how long a pump waits after a pass that took cost. A viewer is served
// at least every max(cost, maxLatency). Who allows more than the default wants it
// used: the share shrinks as the bound grows.
func rest(cost, maxLatency time.Duration) time.Duration {
	share := shareOfTime * max(1, float64(maxLatency)/float64(DefaultMaxLatency))
	r := min(time.Duration((share-1)*float64(cost)), maxLatency-cost)
	if r < minRest {
		return 0
	}
	return r
}
