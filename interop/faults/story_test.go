package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const ms = time.Millisecond

// story is one telling of a scenario.
type story struct {
	t     *testing.T
	name  string
	began time.Time

	mu    sync.Mutex
	nodes []*node
	said  []line // what the test did and the viewers missed

	at    atomic.Pointer[time.Time] // of the last fault
	stood atomic.Int64              // how long this process has stood still, in ns
	then  atomic.Pointer[delays]    // at the last fault

	measured []*figure // by this run

	odd bool // a run of the bench that misses a target: its timeline is wanted too
}

// tell runs a scenario as often as asked for.
func tell(t *testing.T, name string, scenario func(*story)) {
	r := choose(t, name)
	beside(t)
	if r.alone {
		defer lane.enter(true, book.left(r))()
	}
	for i := book.done(name); i < *runs; i++ {
		func() {
			if !r.alone {
				defer lane.enter(false, book.left(r))()
			}
			run(t, name, fmt.Sprint("run", i+1), 1, scenario)
		}()
	}
}

// tellTogether is tell for a scenario that has as many runs in it, at once, as are asked for.
func tellTogether(t *testing.T, name string, scenario func(s *story, runs int)) {
	r := choose(t, name)
	beside(t)
	if left := *runs - book.done(name); left > 0 {
		defer lane.enter(r.alone, book.left(r))()
		run(t, name, fmt.Sprint(left, "runs"), left, func(s *story) { scenario(s, left) })
	}
}

// run runs a scenario once; it counts as so many runs. One that fails counts too: its figures say
// why, and the bench goes on.
func run(t *testing.T, name, title string, n int, scenario func(*story)) {
	if _, err := weirBinary(); err != nil {
		t.Fatal(err)
	}
	if *full {
		fmt.Fprintln(os.Stderr, book.progress(name))
	}
	began := time.Now()
	t.Run(title, func(t *testing.T) {
		s := &story{t: t, name: name, began: time.Now()}
		t.Cleanup(func() {
			if t.Failed() {
				s.figure("runs that failed", "", target{}, float64(n))
			} else {
				s.figure("runs that failed", "", target{}, 0)
			}
			if err := book.ran(name, n, time.Since(began), s.measured); err != nil {
				t.Error(err)
			}
			if t.Failed() || s.odd {
				s.print()
			}
		})
		t.Cleanup(s.end)
		stalls := s.watchStalls()
		scenario(s)
		s.figure("longest stall of the test itself", "ms", target{}, float64(stalls().Microseconds())/1000)
	})
}

// stallNoted is the lateness that is worth a line of the timeline: a gap as long
// may be the machine's and not the cluster's.
const stallNoted = 50 * ms

// watchStalls measures how late this process is woken, until the longest is asked for.
func (s *story) watchStalls() (longest func() time.Duration) {
	stop, result := make(chan struct{}), make(chan time.Duration, 1)
	go func() {
		const every = 5 * ms
		tick := time.NewTicker(every)
		defer tick.Stop()
		var worst time.Duration
		for last := time.Now(); ; {
			select {
			case <-stop:
				result <- worst
				return
			case <-tick.C:
				now := time.Now()
				if late := now.Sub(last) - every; late > worst || late > stallNoted {
					worst = max(worst, late)
					if late > stallNoted {
						s.stood.Add(int64(late))
						s.say(now, "machine", fmt.Sprintf("this test stood still for %v", late.Round(ms)))
					}
				}
				last = now
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-result
	}
}

// end kills what still runs. A node that has ended by itself is a failure, whoever noticed.
func (s *story) end() {
	for _, n := range s.nodes {
		n.proc.Thaw()
		n.proc.Kill()
		for _, log := range n.logs {
			if text := log.From(0); bytes.HasPrefix(text, []byte("panic: ")) || bytes.Contains(text, []byte("\npanic: ")) || bytes.Contains(text, []byte("\nfatal error: ")) {
				s.t.Errorf("%s has crashed", n.name)
			}
		}
	}
}

// note writes a line into the timeline.
func (s *story) note(format string, args ...any) {
	s.say(time.Now(), "test", fmt.Sprintf(format, args...))
}

func (s *story) say(at time.Time, who, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, line{at, who, text})
}

// fault does the damage and remembers when: gaps count from here.
func (s *story) fault(what string, do func()) {
	s.t.Helper()
	now := time.Now()
	s.at.Store(&now)
	s.then.Store(s.delays())
	s.note("FAULT: %s", what)
	do()
}

// since is how long ago the last fault was.
func (s *story) since() time.Duration { return time.Since(s.faultAt()) }

func (s *story) faultAt() time.Time {
	if at := s.at.Load(); at != nil {
		return *at
	}
	return s.began
}

// pollEvery is how often a condition is looked at.
const pollEvery = 10 * time.Millisecond

// eventually waits until cond returns nil, and says how long that took. It fails the
// test with cond's last error when that takes longer than within.
func (s *story) eventually(within time.Duration, what string, cond func() error) time.Duration {
	s.t.Helper()
	began := time.Now()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := cond()
		took := time.Since(began)
		if err == nil {
			return took
		}
		if took > within {
			s.note("WAITED IN VAIN: %s", what)
			s.t.Fatalf("%s: not within %v: %v", what, within, err)
		}
		<-tick.C
	}
}

// during checks that cond stays nil for the whole of d, which is part of the story.
func (s *story) during(d time.Duration, what string, cond func() error) {
	s.t.Helper()
	deadline := time.Now().Add(d)
	tick := time.NewTicker(5 * pollEvery)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if err := cond(); err != nil {
			s.note("NO LONGER: %s: %v", what, err)
			s.t.Errorf("%s: %v", what, err)
			return
		}
		<-tick.C
	}
}

// settles waits until cond has held for quiet, and returns how long after from it began
// to.
func (s *story) settles(from time.Time, within, quiet time.Duration, what string, cond func() error) time.Duration {
	s.t.Helper()
	since, held := time.Time{}, false
	var last error
	tick := time.NewTicker(2 * pollEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		switch err := cond(); {
		case err != nil:
			held, last = false, err
		case !held:
			held, since = true, now
		case now.Sub(since) >= quiet:
			if last != nil {
				s.note("settled after %v: %s; before that: %v", since.Sub(from).Round(ms), what, last)
			}
			return max(0, since.Sub(from))
		}
		if !held && now.Sub(from) > within {
			s.note("WAITED IN VAIN: %s", what)
			s.t.Fatalf("%s: not within %v: %v", what, within, last)
		}
		<-tick.C
	}
}

// passes lets time pass that is part of the story.
func (s *story) passes(d time.Duration) {
	s.during(d, "", func() error { return nil })
}
