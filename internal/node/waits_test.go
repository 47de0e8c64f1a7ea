package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// waits is how long this process's threads have been kept from running although they could: what others on the machine
// take of it. The kernel counts it for each thread, when it has got its turn.
type waits struct {
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
	var sum time.Duration
	threads, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var ran, waited time.Duration
		if _, err := fmt.Sscan(string(text), &ran, &waited); err == nil {
			sum += waited
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noted = append(w.noted, noted{time.Now(), sum + stolen()})
}

// stolen is how long the processors of a virtual machine have been given to others.
func stolen() time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ
	text, _ := os.ReadFile("/proc/stat")
	first, _, _ := strings.Cut(string(text), "\n")
	var name string
	var n [8]int64 // user nice system idle iowait irq softirq steal
	if _, err := fmt.Sscan(first, &name, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]); err != nil {
		return 0
	}
	return time.Duration(n[7]) * tick
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
