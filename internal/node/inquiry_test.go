package node

import (
	"context"
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
			src, ok := q.find(t.Context(), origins, stream.Name{App: "live", Stream: name}, all)
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
		q.find(gone, origins, stream.Name{App: "live", Stream: "c"}, true)
		if q.isAbsent(stream.Name{App: "live", Stream: "c"}) || q.isSilent("frozen") {
			t.Error("remembered for a viewer who left")
		}
	})
}
