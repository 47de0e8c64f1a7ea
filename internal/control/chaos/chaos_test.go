package chaos

import (
	"bytes"
	"context"
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
)

var (
	firstSeed = flag.Uint64("seed", 1, "first `seed` to run")
	schedules = flag.Int("schedules", 1000, "`number` of seeds to run, from -seed on")
)

// regressionRuns is how often a seed that once failed is run: the interleaving is not the
// seed's.
const regressionRuns = 5

//go:embed testdata/seeds.txt
var regressions []byte

// TestChaosRegressions runs the seeds that have found something.
func TestChaosRegressions(t *testing.T) {
	for line := range bytes.Lines(regressions) {
		text, _, _ := strings.Cut(string(line), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("testdata/seeds.txt: %v", err)
		}
		for range regressionRuns {
			t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
				t.Parallel()
				run(t, seed)
			})
		}
	}
}

// TestChaos runs -schedules seeds from -seed on: promises P1 and P2 as far as they are the
// cluster's.
func TestChaos(t *testing.T) {
	var next atomic.Uint64
	next.Store(*firstSeed)
	end := *firstSeed + uint64(*schedules)
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker=", worker), func(t *testing.T) {
			t.Parallel()
			for seed := next.Add(1) - 1; seed < end; seed = next.Add(1) - 1 {
				if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { run(t, seed) }) {
					t.Logf("again: go test ./internal/control/chaos -run 'TestChaos$' -seed %d -schedules 1 -count 20", seed)
				}
			}
		})
	}
}

// run runs one schedule.
func run(t *testing.T, seed uint64) {
	s := newSchedule(seed)
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, s: s, m: store.NewMemory(), began: time.Now()}
		w.run(t)
		if t.Failed() {
			t.Logf("%v\n%s", s, strings.Join(w.log, "\n"))
		}
	})
}

func (w *world) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w.hist.follow(ctx, w)
	for i := range w.s.streams {
		w.names = append(w.names, stream.Name{App: "live", Stream: fmt.Sprint("s", i)})
	}
	for i := range w.s.nodes {
		m := &machine{name: fmt.Sprint("n", i)}
		w.nodes = append(w.nodes, m)
		w.start(m)
	}
	for i, name := range w.names {
		for k := range 2 {
			r := rand.New(rand.NewPCG(w.s.seed, uint64(100+10*i+k)))
			w.wg.Go(func() { w.publish(name, r) })
		}
		for k, m := range w.nodes {
			r := rand.New(rand.NewPCG(w.s.seed, uint64(1000+10*i+k)))
			w.wg.Go(func() { w.watch(name, m, r) })
		}
	}
	for _, f := range w.s.faults {
		w.after(f.at, func() { w.strike(f) })
	}

	time.Sleep(turmoil + time.Millisecond)
	w.logf("--- calm")
	time.Sleep(registryTime)
	synctest.Wait()
	for _, what := range w.wrong() {
		t.Errorf("seed %d: %v after the faults: %s", w.s.seed, registryTime, what)
	}
	time.Sleep(ttl)
	for _, what := range append(w.wrong(), w.orphans()...) {
		t.Errorf("seed %d: %v after the faults: %s", w.s.seed, registryTime+ttl, what)
	}
	for _, m := range w.nodes {
		w.stop(m, false)
	}
	synctest.Wait()
	w.mu.Lock()
	for _, m := range w.nodes {
		m.want = false // still on its way up
	}
	w.mu.Unlock()
	cancel()
	w.m.Close()
	w.wg.Wait()
	if !w.s.forgets {
		w.hist.check(t, w)
	}
}
