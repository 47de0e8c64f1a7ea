package node_test

import (
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// maxGap is how long a bystander may go without a frame on account of an attack.
const maxGap = 200 * time.Millisecond

// canary is one publisher and three viewers of it on a node that is attacked,
// all of them well behaved. They must not notice.
type canary struct {
	viewers [3]canaryViewer
	control *control
	waits   *waits

	goroutines, descriptors int // while nothing but the canary runs
	heap                    uint64
}

type canaryViewer struct {
	*stamp.Viewer
	mu   sync.Mutex
	last time.Time
	gaps []span // those longer than maxGap
}

// span is from one time to a later one.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

// sing starts a canary: its publisher at pub, its viewers at the nodes of view.
func sing(t *testing.T, pub *running, view ...*running) *canary {
	t.Helper()
	c := &canary{control: startControl(t), waits: startWaits(t)}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		stop()
		wg.Wait()
	})
	accepted := make(chan struct{})
	wg.Go(func() {
		err := stamp.Publish(ctx, stamp.PublishOptions{URL: pub.url("live/canary"), Feed: stamp.NewSource("live/canary", 1, stamp.Shape{}),
			Accepted: func() { close(accepted) }})
		if err != nil {
			t.Errorf("the canary's publisher: %v", err)
		}
	})
	await(t, accepted)
	for i := range c.viewers {
		v := &c.viewers[i]
		seen := make(chan struct{})
		var once sync.Once
		var err error
		v.Viewer, err = stamp.NewViewer(stamp.ViewOptions{URL: view[i%len(view)].url("live/canary"), Observe: func(m *rtmp.Message) {
			v.note(time.Now())
			if m.Type == rtmp.Video {
				once.Do(func() { close(seen) })
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := v.Run(ctx); err != nil {
				t.Errorf("the canary's viewer %d: %v", i, err)
			}
		})
		await(t, seen)
	}
	c.rest(t)
	return c
}

func await(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatalf("the canary did not start to sing within %v", patience)
	}
}

func (v *canaryViewer) note(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if gap := (span{v.last, now}); !v.last.IsZero() && gap.length() > maxGap {
		v.gaps = append(v.gaps, gap)
	}
	v.last = now
}

// take returns the gaps since the last call, one still open included.
func (v *canaryViewer) take() []span {
	v.note(time.Now())
	v.mu.Lock()
	defer v.mu.Unlock()
	gaps := v.gaps
	v.gaps = nil
	return gaps
}

// rest notes what the process holds when only the canary runs. The test calls
// it, and its subtests ask: each is a goroutine more.
func (c *canary) rest(t *testing.T) {
	t.Helper()
	// What the start left behind ends first.
	calm := 0
	eventually(patience, func() bool {
		g, d := runtime.NumGoroutine(), descriptors(t)
		if g != c.goroutines || d != c.descriptors {
			c.goroutines, c.descriptors, calm = g, d, 0
		}
		calm++
		return calm > 20
	})
	c.goroutines++
	c.heap = heap()
	for i := range c.viewers {
		c.viewers[i].take()
	}
	c.control.take()
	c.waits.forget()
}

// unharmed checks that nobody suffered and that nothing is left of the attack.
//
// A gap counts against the node only as far as it is longer than the machine's
// own. Another process, which does nothing but tick, tells how long that kept
// everybody waiting meanwhile; and the kernel tells how long threads of this process were kept
// waiting in that very gap: a process that works is made to wait where one that only ticks is not.
func (c *canary) unharmed(t *testing.T) {
	t.Helper()
	// A frame passes five threads on its way (publisher, its reader, the timer, the
	// pump, the viewer), and a busy machine may keep each of them waiting.
	machine := c.control.take()
	for i := range c.viewers {
		for _, gap := range c.viewers[i].take() {
			if waited := c.waits.in(gap); gap.length() > maxGap+5*machine+waited {
				t.Errorf("the canary's viewer %d had a gap of %v; the machine's own longest was %v, and it kept the process waiting for %v of it",
					i, gap.length(), machine, waited)
			}
		}
	}
	c.waits.forget()
	for i := range c.viewers {
		r := c.viewers[i].Report()
		if f := r.Faults(); f != "" {
			t.Errorf("the canary's viewer %d: %s", i, f)
		}
		if r.Video == 0 || r.Audio == 0 {
			t.Errorf("the canary's viewer %d sees %d pictures, %d sounds", i, r.Video, r.Audio)
		}
	}
	var g, d int
	if !eventually(patience, func() bool {
		g, d = runtime.NumGoroutine(), descriptors(t)
		return g <= c.goroutines && d <= c.descriptors
	}) {
		t.Errorf("later: %d goroutines, were %d; %d descriptors, were %d", g, c.goroutines, d, c.descriptors)
		t.Logf("%s", stacks())
	}
}

// grown is how much more the heap holds than when only the canary ran.
func (c *canary) grown() int64 { return int64(heap()) - int64(c.heap) }

// heap is what is reachable, with what the pools keep for later.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
