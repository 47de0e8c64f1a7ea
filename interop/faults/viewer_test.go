package faults_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// gapNoted is the shortest gap that is worth a line of the timeline. Frames come
// every 20 ms or so.
const gapNoted = 200 * ms

// viewer watches one stream and counts what is wrong with it.
type viewer struct {
	s     *story
	where string
	url   string
	again time.Duration // comes back so long after it was closed; 0: never

	mu      sync.Mutex
	now     *stamp.Viewer
	past    []stamp.Report // of sessions that have ended
	closed  []time.Time
	back    []time.Duration // from being closed to the first frame of the next session
	last    time.Time       // the newest arrival
	fault   time.Time       // the last fault that it knows of
	longest time.Duration   // gap that ended after that
	asked   time.Time       // when the present session was begun
	first   time.Duration   // from asking to the first key frame, of the first session
	frames  int             // audio and video of all sessions
	why     error           // of the last close
}

// watch starts a viewer that stays until the test ends, and returns when it sees
// something.
func (s *story) watch(at *node, name string) *viewer {
	s.t.Helper()
	v := s.join(at.url(name), fmt.Sprintf("%s at %s", name, at.name), 0)
	s.eventually(10*time.Second, "a viewer of "+v.where+" sees something", v.seen(1))
	return v
}

// crowd starts n viewers at once who come back so long after they are closed, and
// waits until all see something.
func (s *story) crowd(n int, at *node, name string, again time.Duration) []*viewer {
	s.t.Helper()
	var all []*viewer
	for i := range n {
		all = append(all, s.join(at.url(name), fmt.Sprintf("%s at %s #%d", name, at.name, i), again))
	}
	s.eventually(30*time.Second, fmt.Sprintf("%d viewers see something", n), each(all, func(v *viewer) error { return v.seen(1)() }))
	return all
}

func (s *story) join(url, where string, again time.Duration) *viewer {
	v := &viewer{s: s, where: where, url: url, again: again}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.run(ctx)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-done
	})
	return v
}

func (v *viewer) run(ctx context.Context) {
	for {
		sv, err := stamp.NewViewer(stamp.ViewOptions{URL: v.url, Observe: v.observe})
		if err != nil {
			panic(err) // the URL is the test's own
		}
		v.mu.Lock()
		v.now, v.asked = sv, time.Now()
		v.mu.Unlock()
		err = sv.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		v.mu.Lock()
		v.past = append(v.past, sv.Report())
		v.now = nil
		v.why = err
		if len(v.closed) == len(v.back) { // not a retry that came to nothing
			v.closed = append(v.closed, time.Now())
		}
		v.mu.Unlock()
		v.s.note("viewer of %s was closed: %v", v.where, err)
		if v.again == 0 {
			return
		}
		t := time.NewTimer(v.again)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (v *viewer) observe(m *rtmp.Message) {
	if m.Type != rtmp.Audio && m.Type != rtmp.Video {
		return
	}
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.closed) > len(v.back) {
		v.back = append(v.back, now.Sub(v.closed[len(v.closed)-1]))
	}
	if v.first == 0 && m.Type == rtmp.Video && m.Payload[0]>>4 == 1 && m.Payload[1] == 1 {
		v.first = now.Sub(v.asked)
	}
	v.heed()
	if !v.last.IsZero() {
		d := now.Sub(v.last)
		v.longest = max(v.longest, d)
		if d >= gapNoted {
			v.s.say(now, "viewer", fmt.Sprintf("%s saw nothing for %v", v.where, d.Round(ms)))
		}
	}
	v.last = now
	v.frames++
}

// gap is the longest time without a frame that ended after the last fault, the one
// that may be open included.
func (v *viewer) gap() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heed()
	return max(v.longest, time.Since(v.last))
}

// heed begins anew after a fault; v.mu is held.
func (v *viewer) heed() {
	if at := v.s.faultAt(); !at.Equal(v.fault) {
		v.fault, v.longest = at, 0
	}
}

// report is the sum over its sessions.
func (v *viewer) report() (r stamp.Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.Clone(v.past)
	if v.now != nil {
		all = append(all, v.now.Report())
	}
	for _, p := range all {
		r.Video += p.Video
		r.Audio += p.Audio
		r.Lost += p.Lost
		r.Doubled += p.Doubled
		r.Foreign += p.Foreign
		r.Unstamped += p.Unstamped
		r.Backwards += p.Backwards
		r.HeadersMissing += p.HeadersMissing
		r.KeyMissing += p.KeyMissing
		r.Switches += p.Switches
		r.Epoch = max(r.Epoch, p.Epoch)
	}
	return r
}

// seen is the condition that so many frames have come.
func (v *viewer) seen(frames int) func() error {
	return func() error {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.frames < frames {
			return fmt.Errorf("viewer of %s: %d frames, want %d (last error: %v)", v.where, v.frames, frames, v.why)
		}
		return nil
	}
}

func (v *viewer) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frames
}

// closes is how often somebody else has ended a session.
func (v *viewer) closes() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.closed)
}

// framesPerSecond of the stream, both tracks.
const framesPerSecond = 30 + 43

// sees waits until every viewer has got so much more of the stream than it has now.
func (s *story) sees(all []*viewer, media, within time.Duration) {
	s.t.Helper()
	want := map[*viewer]int{}
	for _, v := range all {
		want[v] = v.count() + int(media.Seconds()*framesPerSecond)
	}
	s.eventually(within, fmt.Sprintf("%v more of the stream", media), each(all, func(v *viewer) error { return v.seen(want[v])() }))
}

// each is the condition that cond holds for all.
func each[T any](all []T, cond func(T) error) func() error {
	return func() error {
		failed := 0
		var first error
		for _, v := range all {
			if err := cond(v); err != nil {
				if failed++; first == nil {
					first = err
				}
			}
		}
		if failed > 0 {
			return fmt.Errorf("%d of %d: %w", failed, len(all), first)
		}
		return nil
	}
}

// sees is the condition that something has come of late.
func (v *viewer) sees() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if d := time.Since(v.last); d > time.Second {
		return fmt.Errorf("viewer of %s: nothing for %v (last error: %v)", v.where, d.Round(ms), v.why)
	}
	return nil
}
