package bench

import (
	"context"
	"sync"
	"time"
)

// Pace says how fast sessions start.
type Pace struct {
	Rate        float64 `json:"rate"`        // sessions a second; 0 = as fast as Concurrency lets
	Concurrency int     `json:"concurrency"` // sessions between dial and answer; at least 1
}

// run calls start(i) for i below n, each in a goroutine of running, until ctx ends.
// start calls ready once when its session stands or has failed, and may run on after
// that. run returns how many were started; it does not wait for them to end.
func (p Pace) run(ctx context.Context, running *sync.WaitGroup, n int, start func(i int, ready func())) int {
	slots := make(chan struct{}, max(p.Concurrency, 1))
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range n {
		if p.Rate > 0 {
			timer.Reset(time.Until(begin.Add(time.Duration(float64(i) / p.Rate * float64(time.Second)))))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return i
			}
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return i
		}
		running.Go(func() { start(i, func() { <-slots }) })
	}
	return n
}
