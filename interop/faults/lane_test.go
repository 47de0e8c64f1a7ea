package faults_test

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lane lets scenarios be told side by side.
var lane lanes

// lanes is a gate: so many runs at once, or one that needs the machine for itself. Who is alone goes
// first and keeps the machine for all of its runs, since the others have to end for each beginning.
// Of the others those go first whose row has most to do, so that all lanes end at about the same time.
//
// Invariants: busy ≤ n; alone ⇒ busy = 1.
type lanes struct {
	n int // 0 and 1: one after the other

	mu      sync.Mutex
	busy    int
	alone   bool
	waiting []*ticket
}

type ticket struct {
	alone bool
	left  time.Duration // to be done of its row, this run included
	begin chan struct{} // closed when it may
}

// enter waits until a run may begin. The caller calls leave when it is over.
func (l *lanes) enter(alone bool, left time.Duration) (leave func()) {
	t := &ticket{alone, left, make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, t)
	l.admit()
	l.mu.Unlock()
	<-t.begin
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.busy--
		l.alone = false
		l.admit()
	}
}

// admit lets those begin for whom there is room. mu is held.
func (l *lanes) admit() {
	for len(l.waiting) > 0 && !l.alone && l.busy < max(1, l.n) {
		next := slices.MinFunc(l.waiting, func(a, b *ticket) int {
			switch {
			case a.alone != b.alone && a.alone:
				return -1
			case a.alone != b.alone:
				return 1
			}
			return cmp.Compare(b.left, a.left)
		})
		if next.alone && l.busy > 0 {
			return
		}
		l.waiting = slices.DeleteFunc(l.waiting, func(t *ticket) bool { return t == next })
		l.busy++
		l.alone = next.alone
		close(next.begin)
	}
}

// of is how many lanes there are where a row is told.
func (l *lanes) of(name string) int {
	if r, _ := rowOf(name); r.alone {
		return 1
	}
	return max(1, l.n)
}

// beside lets the test go on beside the others, if there are lanes for that.
func beside(t *testing.T) {
	if lane.n > 1 {
		t.Parallel()
	}
}

func TestWhoNeedsTheMachineIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lanes{n: 2}
		var mu sync.Mutex
		running := map[string]bool{}
		arrive := func(name string, alone bool, left time.Duration) (end func()) {
			over := make(chan struct{})
			go func() {
				leave := l.enter(alone, left)
				mu.Lock()
				running[name] = true
				mu.Unlock()
				<-over
				mu.Lock()
				delete(running, name)
				mu.Unlock()
				leave()
			}()
			synctest.Wait()
			return func() { close(over) }
		}
		now := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := slices.Sorted(maps.Keys(running)); !slices.Equal(got, want) {
				t.Fatalf("%v run, want %v", got, want)
			}
		}
		first := arrive("first", false, 1)
		now("first")
		short := arrive("short", false, 2)
		now("first", "short")
		heavy := arrive("heavy", true, 1)
		long := arrive("long", false, 9)
		longer := arrive("longer", false, 10)
		first()
		now("short") // nobody begins who would keep the heavy one waiting
		short()
		now("heavy")
		little := arrive("little", false, 3)
		heavy()
		now("long", "longer")
		long()
		now("little", "longer")
		little()
		longer()
		now()
	})
}
