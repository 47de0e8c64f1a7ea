package chaos

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
	"weir/internal/testnet/seeded"
)

// regressionRuns is how often a seed that once failed is run: the interleaving is not the
// seed's.
const regressionRuns = 5

//go:embed testdata/seeds.txt
var regressions []byte

// TestChaosRegressions runs the seeds that have found something.
func TestChaosRegressions(t *testing.T) { seeded.Regressions(t, regressions, regressionRuns, run) }

// TestChaos runs -schedules seeds from -seed on: promises P1 and P2 as far as they are the
// cluster's.
func TestChaos(t *testing.T) { seeded.Schedules(t, "./internal/control/chaos", run) }

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
