package relay

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Pings of all connections of a process go at the same moments, whenever the connections were made, and
// none is left out.
func TestPingsGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		moments := make(chan time.Time, 1000)
		each := func(time.Time) bool { moments <- time.Now(); return false }
		const lines, turns = 10, 20
		for i := range lines {
			l := new(line)
			l.reading.Store(true)
			pongs := new(atomic.Int64)
			if i%2 == 0 {
				go WatchStranger(l, pongs, done, each)
			} else {
				go func() {
					for range time.Tick(PeerPing / 2) {
						l.in.Add(1)
						select {
						case <-done:
							return
						default:
						}
					}
				}()
				go WatchAlive(l, done, each)
			}
			time.Sleep(7 * time.Millisecond)
		}
		synctest.Wait()
		for len(moments) > 0 {
			<-moments
		}
		time.Sleep(turns * PeerPing)
		synctest.Wait()
		at := map[time.Time]int{}
		for len(moments) > 0 {
			at[<-moments]++
		}
		if len(at) != turns {
			t.Errorf("pings at %d moments in %d turns", len(at), turns)
		}
		for when, n := range at {
			if n != lines {
				t.Errorf("%d of %d pings at %v", n, lines, when)
			}
		}
		close(done)
		time.Sleep(PeerPing)
	})
}
