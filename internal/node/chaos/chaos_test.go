package chaos

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
	"weir/internal/testnet/seeded"
)

// regressionRuns is how often a seed that once failed is run: the interleaving is not the
// seed's.
const regressionRuns = 3

//go:embed testdata/seeds.txt
var regressions []byte

//go:embed testdata/harder.txt
var harder []byte

// TestChaosRegressions runs the seeds that have found something.
func TestChaosRegressions(t *testing.T) {
	seeded.Regressions(t, regressions, regressionRuns, func(t *testing.T, seed uint64) { play(t, newSchedule(seed)) })
	seeded.Regressions(t, harder, regressionRuns, run)
}

// TestChaos runs -schedules seeds from -seed on: promises P1, P2, P3 and P6 over whole nodes.
func TestChaos(t *testing.T) { seeded.Schedules(t, "./internal/node/chaos", run) }

// run runs one schedule.
func run(t *testing.T, seed uint64) { play(t, newHarderSchedule(seed)) }

func play(t *testing.T, s *schedule) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{s: s, m: store.NewMemory(), net: newNetwork(), began: time.Now(), started: map[stream.Name]int{}}
		defer report(t, w)
		w.run()
	})
}

func (w *world) run() {
	for i, roles := range w.s.roles {
		m := &machine{name: fmt.Sprint("n", i), host: host(i), addr: host(i) + ":1935", roles: roles}
		if w.s.skews != nil {
			m.skew = w.s.skews[i]
		}
		w.nodes = append(w.nodes, m)
		w.start(m)
	}
	time.Sleep(time.Second)
	on, off := context.WithCancel(context.Background())
	watching, leave := context.WithCancel(context.Background())
	var pubs []*publisher
	var views []*viewer
	for i := range w.s.streams {
		name := stream.Name{App: "live", Stream: fmt.Sprint("s", i)}
		p := &publisher{w: w, name: name, r: rand.New(rand.NewPCG(w.s.seed, uint64(100+i))), host: host(100 + i)}
		pubs = append(pubs, p)
		w.wg.Go(func() { p.run(on) })
		for k, m := range w.nodes {
			v := &viewer{w: w, name: name, m: m, r: rand.New(rand.NewPCG(w.s.seed, uint64(1000+10*i+k))), host: host(200 + 10*i + k), at: w.began}
			views = append(views, v)
			w.wg.Go(func() { v.run(watching) })
		}
	}
	w.pubs = pubs
	if w.s.rival {
		w.wg.Go(func() { w.rival(pubs[0]) })
	}
	for _, f := range w.s.faults {
		w.after(f.at-time.Second, func() { w.strike(f) })
	}

	time.Sleep(time.Until(w.began.Add(turmoil + time.Millisecond)))
	w.logf("--- calm")
	time.Sleep(reachTime)
	w.checkReached(pubs, views)
	w.checkRegistry(pubs)
	leave()
	time.Sleep(lingerTime + time.Second)
	w.checkPulls()
	off()
	time.Sleep(ttl)
	if keys := w.stored("streams"); len(keys) > 0 {
		w.fail("%v after the last publisher has left, the store has %v", ttl, keys)
	}
	var last []*process
	for _, m := range w.nodes {
		if p := w.end(m, false); p != nil {
			last = append(last, p)
		}
	}
	for _, p := range last {
		<-p.done
	}
	for _, kind := range []string{"nodes", "loads", "pulls"} {
		if keys := w.stored(kind); len(keys) > 0 {
			w.fail("all nodes have left, the store has %s %v", kind, keys)
		}
	}
	w.m.Close()
	w.wg.Wait()
}

// rival is somebody who publishes a stream that has a publisher, again and again.
func (w *world) rival(of *publisher) {
	r := rand.New(rand.NewPCG(w.s.seed, 7))
	p := &publisher{w: w, name: of.name, r: r, host: host(150), told: w.guard(of.name, of)}
	for time.Since(w.began) < turmoil-3*time.Second {
		ctx, cancel := context.WithTimeout(context.Background(), seeded.Between(r, 100*time.Millisecond, 3*time.Second))
		_ = p.once(ctx, w.entrance(r))
		cancel()
		time.Sleep(seeded.Between(r, 0, 3*time.Second))
	}
}

// checkReached: every viewer at every node sees the publisher that is on air.
func (w *world) checkReached(pubs []*publisher, views []*viewer) {
	for _, p := range pubs {
		p.mu.Lock()
		life := p.live
		p.mu.Unlock()
		if life == 0 {
			w.fail("%v after the faults nobody publishes %v", reachTime, p.name)
			continue
		}
		for _, v := range views {
			if v.name != p.name {
				continue
			}
			if got, ago, why := v.state(); got != life || ago > 2*time.Second {
				w.fail("%v after the faults the viewer of %v at %s saw publisher %d %v ago, on air is %d (%v)", reachTime, v.name, v.m.name, got, ago, life, why)
			}
		}
	}
}

// checkRegistry: what is published is recorded, and nothing else; and so is who is there.
func (w *world) checkRegistry(pubs []*publisher) {
	var want []string
	for _, p := range pubs {
		p.mu.Lock()
		if p.live != 0 {
			want = append(want, p.name.String())
		}
		p.mu.Unlock()
	}
	if got := w.stored("streams"); !slices.Equal(got, want) {
		w.fail("%v after the faults recorded are the streams %v, on air are %v", reachTime, got, want)
	}
	var names []string
	for _, m := range w.nodes {
		names = append(names, m.name)
	}
	if got := w.stored("nodes"); !slices.Equal(got, names) {
		w.fail("%v after the faults recorded are the nodes %v", reachTime, got)
	}
}

// checkPulls: nobody watches, so nothing is pulled, and the store knows.
func (w *world) checkPulls() {
	w.mu.Lock()
	for _, m := range w.nodes {
		if m.up == nil {
			continue
		}
		for name, n := range m.up.pulls {
			if n != 0 {
				defer w.fail("%s pulls %v (%d) and nobody watches", m.name, name, n)
			}
		}
	}
	w.mu.Unlock()
	if keys := w.stored("pulls"); len(keys) > 0 {
		w.fail("nobody watches, and recorded are the pulls %v", keys)
	}
}
