package front

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/relay"
)

func TestWaitsGrowAndDiffer(t *testing.T) {
	const sessions = 100
	var all [sessions]waits
	for most := relay.BackoffMin; ; most = min(2*most, maxWait) {
		seen := map[int64]bool{}
		for i := range all {
			d := all[i].next()
			if d < most/2 || d > most {
				t.Fatalf("%v where %v to %v is due", d, most/2, most)
			}
			seen[int64(d)] = true
		}
		if len(seen) < sessions/2 {
			t.Errorf("%d different waits of %d sessions", len(seen), sessions)
		}
		if most == maxWait {
			return
		}
	}
}

// Who is served most of the time is never given up, however often his server fails; who is not served is, after the limit.
func TestOnlyTimeWithoutAServerCountsAgainstASession(t *testing.T) {
	const limit = 30 * time.Second
	for _, tc := range []struct {
		name          string
		served, opens time.Duration
		failures      int // at most, before it is given up; 0: it is not
	}{
		{"a server restarts every 3 s", 2300 * time.Millisecond, 20 * time.Millisecond, 0},
		{"servers take it and drop it", 10 * time.Millisecond, 20 * time.Millisecond, 80},
		{"servers take it after long, and drop it", 10 * time.Millisecond, 8 * time.Second, 6},
		{"a server fails once in a while", time.Minute, 25 * time.Second, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s strikes
				n, from := 1, time.Now()
				for ; n < 200; n++ {
					began := time.Now()
					time.Sleep(tc.served)
					if !s.failed(context.Background(), began, limit) {
						break
					}
					time.Sleep(tc.opens)
				}
				switch gone := time.Since(from); {
				case tc.failures == 0 && n < 200:
					t.Errorf("given up at failure %d, after %v", n, gone)
				case tc.failures > 0 && (n > tc.failures || gone < limit):
					t.Errorf("%d failures in %v, want no more than %d, and no less than %v", n, gone, tc.failures, limit)
				}
			})
		})
	}
}
