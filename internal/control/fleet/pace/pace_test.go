package pace

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestJobsRunAgainAndAgainAtTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(4)
		defer p.Close()
		start := time.Now()
		var at []time.Duration
		p.Add("a", 300*time.Millisecond, func(context.Context) time.Duration {
			at = append(at, time.Since(start))
			return 2 * time.Second
		})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if want := []time.Duration{300 * time.Millisecond, 2300 * time.Millisecond, 4300 * time.Millisecond}; !slices.Equal(at, want) {
			t.Errorf("rounds at %v, want %v", at, want)
		}
		p.Soon("a", 0)
		synctest.Wait()
		if len(at) != 4 || at[3] != 5*time.Second {
			t.Errorf("after Soon: rounds at %v", at)
		}
		p.Remove("a")
		p.Soon("a", 0)
		time.Sleep(time.Minute)
		if len(at) != 4 {
			t.Errorf("after Remove: rounds at %v", at)
		}
	})
}

func TestNoMoreThanTheLimitAndNobodyStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, jobs = 8, 100
		p := New(limit)
		defer p.Close()
		var now, most atomic.Int64
		var mu sync.Mutex
		rounds := map[string]int{}
		for i := range jobs {
			name := fmt.Sprint(i)
			p.Add(name, 0, func(context.Context) time.Duration {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second) // all of them are slow
				now.Add(-1)
				mu.Lock()
				rounds[name]++
				mu.Unlock()
				return 0
			})
		}
		time.Sleep(100*time.Second + time.Millisecond) // 100 s × 8 rounds a second
		mu.Lock()
		defer mu.Unlock()
		for name, n := range rounds {
			if n < 7 || n > 9 { // ties end in any order
				t.Errorf("job %s ran %d times, want its fair share of 8", name, n)
			}
		}
		if len(rounds) != jobs || most.Load() != limit {
			t.Errorf("%d jobs ran, %d at a time, want %d and %d", len(rounds), most.Load(), jobs, limit)
		}
	})
}

func TestARunningJobIsNeverRunTwiceAndRemovalEndsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(4)
		var running, rounds atomic.Int64
		var ended atomic.Bool
		job := func(ctx context.Context) time.Duration {
			if running.Add(1) > 1 {
				t.Error("two rounds of one job at a time")
			}
			defer running.Add(-1)
			rounds.Add(1)
			select {
			case <-ctx.Done():
				ended.Store(true)
			case <-time.After(time.Second):
			}
			return time.Hour
		}
		p.Add("a", 0, job)
		synctest.Wait()
		p.Soon("a", 0)
		p.Soon("a", 0)
		time.Sleep(10 * time.Second)
		if n := rounds.Load(); n != 2 {
			t.Errorf("%d rounds, want the one that ran and the one that was asked for", n)
		}
		p.Soon("a", 0)
		synctest.Wait()
		p.Add("a", time.Hour, job) // takes its place
		synctest.Wait()
		if !ended.Load() {
			t.Error("the old round was not told")
		}
		p.Soon("a", 0)
		synctest.Wait()
		p.Close() // waits: synctest would report a goroutine that is left
		if running.Load() != 0 {
			t.Error("Close did not wait")
		}
	})
}

func TestJitterStaysWithinItsPart(t *testing.T) {
	for range 1000 {
		if d := Jitter(time.Second, 0.2); d < 800*time.Millisecond || d > 1200*time.Millisecond {
			t.Fatal(d)
		}
		if d := Phase(time.Second); d < 0 || d >= time.Second {
			t.Fatal(d)
		}
	}
	if Jitter(time.Second, 0) != time.Second {
		t.Error("jitter of nothing")
	}
}
