package pace

import (
	"math/rand/v2"
	"time"
)

// Jitter returns d, longer or shorter by up to the part given, 0 to 1: rounds that once fell
// together drift apart.
func Jitter(d time.Duration, part float64) time.Duration {
	return d + time.Duration((2*rand.Float64()-1)*part*float64(d))
}

// Phase returns a time within d: where in its interval one of many begins.
func Phase(d time.Duration) time.Duration {
	return time.Duration(rand.Float64() * float64(d))
}
