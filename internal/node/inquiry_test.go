package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/stream"
)

// While the store is away, plays of names that all origins say to be absent ask them once a second, and wait
// for one that does not answer once in two.
func TestAbsentNamesAreNotAskedForAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked := map[string]int{}
		here := stream.Name{App: "live", Stream: "here"}
		q := newInquiry(func(ctx context.Context, addr string, name stream.Name) (silence, error) {
			mu.Lock()
			asked[addr]++
			mu.Unlock()
			if addr == "frozen" {
				<-ctx.Done()
				return silence{}, ctx.Err()
			}
			return silence{Publishing: name == here}, nil
		})
		var origins []cluster.Node
		for _, name := range []string{"well", "frozen"} {
			origins = append(origins, cluster.Node{NodeRecord: cluster.NodeRecord{Name: name, Addresses: cluster.Addresses{RTMP: name}}})
		}
		play := func(name string, all bool) (found bool, took time.Duration) {
			began := time.Now()
			in := someOrigins
			if all {
				in = allOrigins
			}
			src, ok := q.find(t.Context(), origins, stream.Name{App: "live", Stream: name}, in)
			if ok && src.Node != "well" {
				t.Errorf("%s found at %+v", name, src)
			}
			return ok, time.Since(began)
		}
		for _, step := range []struct {
			name         string
			all          bool
			found        bool
			took         time.Duration
			well, frozen int // asked in all
			then         time.Duration
		}{
			{name: "here", all: true, found: true, well: 1, frozen: 1},
			{name: "a", all: true, took: ownerTimeout, well: 2, frozen: 2},
			{name: "a", all: true, well: 3, frozen: 2}, // the frozen one may have it: not remembered, but nobody waits
			{name: "here", all: true, found: true, well: 4, frozen: 2, then: silentFor},
			{name: "a", all: true, took: ownerTimeout, well: 5, frozen: 3},
		} {
			found, took := play(step.name, step.all)
			if found != step.found || took != step.took || asked["well"] != step.well || asked["frozen"] != step.frozen {
				t.Errorf("%+v: found %v, took %v, asked %v", step, found, took, asked)
			}
			time.Sleep(step.then)
		}
		// What no origin has is remembered, for those who ask all of them.
		all := origins
		origins = origins[:1]
		for _, step := range []struct {
			all  bool
			well int
			then time.Duration
		}{{all: true, well: 6}, {all: true, well: 6}, {all: false, well: 7, then: absentFor}, {all: true, well: 8}} {
			if found, _ := play("d", step.all); found || asked["well"] != step.well {
				t.Errorf("%+v: found %v, asked %v", step, found, asked)
			}
			time.Sleep(step.then)
		}
		origins = all
		// Nor does a viewer who leaves make a name absent, or an origin silent.
		gone, leave := context.WithCancel(t.Context())
		leave()
		time.Sleep(silentFor)
		c := stream.Name{App: "live", Stream: "c"}
		q.find(gone, origins, c, allOrigins)
		if q.isAbsent(allOrigins, c) || len(q.silent) > 0 || len(q.asking) > 0 {
			t.Error("remembered for a viewer who left")
		}
	})
}

// Questions to origins that vanished from the registry are bounded: for each name, to one that is dead, and to one that
// hangs.
func TestMissingOriginsAreNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked := 0
		var answer func(context.Context) error
		q := newInquiry(func(ctx context.Context, _ string, _ stream.Name) (silence, error) {
			mu.Lock()
			asked++
			mu.Unlock()
			return silence{}, answer(ctx)
		})
		origin := []cluster.Node{{NodeRecord: cluster.NodeRecord{Name: "lost", Addresses: cluster.Addresses{RTMP: "lost"}}}}
		// rounds plays names one after another, each as soon as the one before has been answered.
		rounds := func(in scope, names int, rounds int) int {
			asked = 0
			for range rounds {
				for i := range names {
					q.find(t.Context(), origin, stream.Name{App: "live", Stream: fmt.Sprint(i)}, in)
				}
			}
			return asked
		}
		answer = func(context.Context) error { return nil }
		if n := rounds(allMissing, 3, 100); n != 3 {
			t.Errorf("an origin that has none of 3 names was asked %d times at once", n)
		}
		if n := rounds(allOrigins, 1, 1); n != 1 {
			t.Error("what the missing do not have, the others may")
		}
		time.Sleep(absentFor)
		answer = func(context.Context) error { return errors.New("connection refused") }
		if n := rounds(allMissing, 3, 100); n != 1 {
			t.Errorf("a dead origin was asked %d times at once", n)
		}
		time.Sleep(refusedFor)
		if n := rounds(allMissing, 1, 1); n != 1 {
			t.Error("it is not asked again")
		}
		time.Sleep(refusedFor)
		answer = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		asked = 0
		var wg sync.WaitGroup
		for i := range 10 * askedMost {
			wg.Go(func() { q.find(t.Context(), origin, stream.Name{App: "live", Stream: fmt.Sprint(i)}, allMissing) })
		}
		wg.Wait()
		if asked != askedMost {
			t.Errorf("an origin that hangs had %d questions at a time", asked)
		}
	})
}

// All streams of an edge are found at once, however many they are: when their owner has died while the store is away, and the
// publishers have gone to another origin, there is no other way.
func TestManyStreamsAreFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, most, lost := 0, 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			asked += n
			most = max(most, asked)
		}
		q := newInquiry(func(context.Context, string, stream.Name) (silence, error) {
			count(1)
			time.Sleep(5 * time.Millisecond)
			count(-1)
			return silence{Publishing: true}, nil
		})
		origin := []cluster.Node{{NodeRecord: cluster.NodeRecord{Name: "o", Addresses: cluster.Addresses{RTMP: "o"}}}}
		var wg sync.WaitGroup
		for i := range 20 * askedMost {
			wg.Go(func() {
				if _, ok := q.find(t.Context(), origin, stream.Name{App: "live", Stream: fmt.Sprint(i)}, someOrigins); !ok {
					mu.Lock()
					lost++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if lost > 0 || most != askedMost || len(q.asking) > 0 {
			t.Errorf("%d not found, %d questions at a time, %d origins are still asked", lost, most, len(q.asking))
		}
	})
}
