package live

import "time"

const (
	// shareOfTime: a pump spends at most one part in so many on passes, as long
	// as the latency bound allows. With few viewers a pass takes microseconds and
	// every message goes out at once; at 1,000 a pass takes 10 ms and a write
	// takes along what came in 100 ms. Why not smaller: the writes are the cost,
	// and idle time is there to be waited in. Why not larger: at 100 viewers the
	// wait would be tens of milliseconds already.
	shareOfTime = 10
	// minRest: below it a timer costs more than it saves, and comes late.
	minRest = 500 * time.Microsecond
)

// rest is how long a pump waits after a pass that took cost. A viewer is served
// at least every max(cost, maxLatency).
func rest(cost, maxLatency time.Duration) time.Duration {
	r := min((shareOfTime-1)*cost, maxLatency-cost)
	if r < minRest {
		return 0
	}
	return r
}
