package node_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"weir/internal/proctest"
)

// waits is how long this process's threads have been kept from running although they could: what others on the machine
// take of it. The kernel counts each wait when it is over.
type waits struct {
	reading sync.Mutex // held while files are open for it; by a test that has none to spare, to keep it from opening any

	mu    sync.Mutex
	noted []noted // by time, since the last forget
}

type noted struct {
	at  time.Time
	sum time.Duration // of all threads, since the process began
}

// startWaits notes them until the test ends, as often as the canary has a frame.
func startWaits(t *testing.T) *waits {
	w := &waits{}
	w.note()
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(controlTick)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.note()
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { stop(); <-over })
	return w
}

func (w *waits) note() {
	w.reading.Lock()
	defer w.reading.Unlock()
	sum := proctest.Waited(os.Getpid()) + proctest.Stolen()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noted = append(w.noted, noted{time.Now(), sum})
}

// in is how much they waited in a span of time, or a little more.
func (w *waits) in(s span) time.Duration {
	w.note() // whoever waited in it has had his turn
	w.mu.Lock()
	defer w.mu.Unlock()
	before, after := w.noted[0].sum, w.noted[len(w.noted)-1].sum
	for _, n := range w.noted {
		if !n.at.After(s.from) {
			before = n.sum
		}
		if !n.at.Before(s.to) {
			after = n.sum
			break
		}
	}
	return max(0, after-before)
}

// forget drops what was noted.
func (w *waits) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noted = w.noted[len(w.noted)-1:]
}
