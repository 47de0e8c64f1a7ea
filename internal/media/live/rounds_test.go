package live

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever sends little goes on at once; once sending takes too much time, all go on together, once in
// the bound, and none waits longer.
func TestRoundsGatherOnlyWhatCostsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 20 * time.Millisecond
		r := NewRounds()
		start := time.Now()
		var mu sync.Mutex // time that passes is no order for the race detector
		var wakes [2]int
		var at [2]time.Duration
		seen := func() (count [2]int, woken [2]time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			return wakes, at
		}
		turns := make([]*Turn, 2)
		for i := range turns {
			turns[i] = r.Turn(bound, func() {
				mu.Lock()
				defer mu.Unlock()
				at[i], wakes[i] = time.Since(start), wakes[i]+1
			})
		}
		alone := 0
		free := (*Rounds)(nil).Turn(bound, func() { alone++ })

		turns[0].News()
		if count, _ := seen(); count[0] != 1 {
			t.Fatal("news waits while nobody sends anything")
		}
		elapse(time.Second)
		turns[0].Sent(10*time.Microsecond, 1, 1)
		elapse(time.Second)
		turns[0].Sent(10*time.Microsecond, 1, 1)
		turns[0].News()
		if count, _ := seen(); count[0] != 2 {
			t.Fatal("news waits while sending is cheap")
		}
		for range 600 { // 30 % of the time
			elapse(time.Millisecond)
			turns[1].Sent(300*time.Microsecond, 1, 1)
		}
		mu.Lock()
		wakes = [2]int{}
		mu.Unlock()
		elapse(bound / 4)
		for range 3 {
			turns[0].News()
			turns[1].News()
		}
		free.News()
		synctest.Wait()
		if count, _ := seen(); count != [2]int{} || alone != 1 {
			t.Errorf("at once: %v, without rounds %d", count, alone)
		}
		before := time.Since(start)
		elapse(bound)
		count, woken := seen()
		if count != [2]int{1, 1} || woken[0] != woken[1] || woken[0]-before > bound {
			t.Errorf("within the bound: %v at %v, since %v", count, woken, before)
		}
		turns[0].News()
		turns[0].News()
		before = time.Since(start)
		if count, _ = seen(); count[0] != 1 {
			t.Error("the next round begins with the first news")
		}
		elapse(bound)
		count, woken = seen()
		if count != [2]int{2, 1} || woken[0]-before > bound {
			t.Errorf("next round: %v at %v, since %v", count, woken[0], before)
		}
	})
}
