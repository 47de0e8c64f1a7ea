package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/control/store/storetest"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// world is one run of a schedule.
type world struct {
	t     *testing.T
	s     *schedule
	m     *store.Memory
	began time.Time
	names []stream.Name
	tick  atomic.Int64 // orders what happens, within one instant too

	wg sync.WaitGroup // of everything that the run starts

	mu     sync.Mutex
	nodes  []*machine
	copied store.Snapshot
	log    []string
	hist   history
}

// machine is where one node's processes run, one after the other.
type machine struct {
	name    string
	highest kept

	// Guarded by world.mu.
	up    *process // nil: down, or not up yet
	want  bool     // it is to be up
	gen   int
	skew  time.Duration
	shook time.Time // when a fault that concerns it last ended; in the future while one goes on
}

// process is one life of a node.
type process struct {
	w    *world
	m    *machine
	gen  int
	way  *storetest.Faulty
	rec  *recorder
	c    *cluster.Cluster
	ends context.Context // when it is killed or leaves
	kill context.CancelFunc

	// Guarded by world.mu.
	held  map[stream.Name]*cluster.Ownership
	pulls map[stream.Name]bool
	high  map[stream.Name]stream.Epoch // of its own claims
}

// kept is a node's memory of the highest incarnation.
type kept struct {
	mu sync.Mutex
	n  uint64
}

func (k *kept) Load() (uint64, error) { k.mu.Lock(); defer k.mu.Unlock(); return k.n, nil }
func (k *kept) Save(n uint64) error   { k.mu.Lock(); defer k.mu.Unlock(); k.n = n; return nil }

func (w *world) logf(format string, args ...any) {
	line := fmt.Sprintf("%7.3fs ", time.Since(w.began).Seconds()) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	w.log = append(w.log, line)
	w.mu.Unlock()
}

// now is a machine's clock as its next process has it. A step of the clock under a running process is not
// seen by what measures durations, and a time.Time cannot be made to say so.
func (w *world) now(m *machine) func() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	skew := m.skew
	return func() time.Time { return time.Now().Add(skew) }
}

// start brings a machine's next process up, trying until it is, or is not wanted any more.
func (w *world) start(m *machine) {
	w.mu.Lock()
	m.want = true
	m.gen++
	gen := m.gen
	w.mu.Unlock()
	w.wg.Go(func() {
		for n := uint64(0); ; n++ {
			p := w.process(m, gen, n)
			err := p.c.Start(p.ends)
			w.mu.Lock()
			wanted := m.want && m.gen == gen
			if err == nil && wanted {
				m.up = p
			}
			w.mu.Unlock()
			if err == nil && wanted {
				w.logf("%s.%d is up", m.name, gen)
				<-p.ends.Done()
			}
			p.c.Close()
			p.way.Close()
			if err == nil || !wanted {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	})
}

func (w *world) process(m *machine, gen int, try uint64) *process {
	seed := w.s.seed ^ uint64(gen)<<32 ^ try<<48
	p := &process{w: w, m: m, gen: gen, held: map[stream.Name]*cluster.Ownership{}, pulls: map[stream.Name]bool{}, high: map[stream.Name]stream.Epoch{}}
	p.ends, p.kill = context.WithCancel(context.Background())
	p.rec = &recorder{Memory: w.m.Client(), w: w, node: m.name}
	p.way = storetest.NewFaulty(p.rec, rand.New(rand.NewPCG(seed, 2)))
	o := cluster.Options{
		Store: p.way, Self: cluster.NodeRecord{Name: m.name, Roles: []string{"origin", "edge"}}, TTL: ttl,
		Now: w.now(m), Rand: rand.New(rand.NewPCG(seed, 3)), Emit: p.event,
		// A machine's next process starts when the one before has been ended.
		Ask: func(context.Context, cluster.NodeRecord) cluster.Life { return cluster.Ended },
	}
	if w.s.remains {
		o.Highest = &m.highest
	}
	var err error
	if p.c, err = cluster.New(o); err != nil {
		panic(err)
	}
	return p
}

// event notes what the cluster says of itself.
func (p *process) event(e event.Event) {
	switch e := e.(type) {
	case event.Claimed:
		p.w.mu.Lock()
		if p.high[e.Name].Less(e.Epoch) {
			p.high[e.Name] = e.Epoch
		}
		p.w.mu.Unlock()
	case event.Released, event.OwnershipLost, event.NodeUp, event.NodeDown, event.StoreLost, event.StoreBack:
	default:
		return
	}
	p.w.logf("%s.%d %s", p.m.name, p.gen, event.Line(e))
}

// stop ends a machine's process: as kill -9 does, or in good order.
func (w *world) stop(m *machine, killed bool) {
	w.mu.Lock()
	p := m.up
	m.up, m.want = nil, false
	w.mu.Unlock()
	if p == nil {
		return
	}
	if killed {
		p.way.Partition(true) // it says nothing any more
	} else {
		p.release()
	}
	p.kill()
}

// release gives back what a process holds before it leaves.
func (p *process) release() {
	p.w.mu.Lock()
	held := p.held
	p.held = map[stream.Name]*cluster.Ownership{}
	p.w.mu.Unlock()
	for _, o := range held {
		p.w.hist.release(p, o)
	}
}

// shake notes that a fault concerns the machine for d, and what follows from it for another
// while.
func (w *world) shake(m *machine, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := time.Now().Add(d + ttl + registryTime); end.After(m.shook) {
		m.shook = end
	}
}

// way returns a machine's connection to the store.
func (w *world) way(m *machine) *storetest.Faulty {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.up == nil {
		return nil
	}
	return m.up.way
}

// strike makes one fault happen, and ends it after its time.
func (w *world) strike(f fault) {
	w.logf("--- %v", f)
	concerned := w.nodes
	if f.node >= 0 {
		concerned = w.nodes[f.node : f.node+1]
	}
	for _, m := range concerned {
		w.shake(m, f.dur)
	}
	for _, m := range concerned {
		way := w.way(m)
		if way == nil && (f.kind == "cut" || f.kind == "freeze" || f.kind == "flaky" || f.kind == "freeze all") {
			continue
		}
		switch f.kind {
		case "kill", "leave":
			w.stop(m, f.kind == "kill")
			w.after(f.dur, func() {
				w.mu.Lock()
				again := !m.want
				w.mu.Unlock()
				if again {
					w.start(m)
				}
			})
		case "cut":
			way.Partition(true)
			w.after(f.dur, func() { w.mend(m, way, way.Partition) })
		case "freeze", "freeze all":
			way.Freeze(true)
			w.after(f.dur, func() { w.mend(m, way, way.Freeze) })
		case "flaky":
			way.Flaky(f.share)
			w.after(f.dur, func() { way.Flaky(0) })
		case "skew":
			w.mu.Lock()
			m.skew += f.skew
			w.mu.Unlock()
		case "expire":
			w.mu.Lock()
			p := m.up
			w.mu.Unlock()
			if p != nil {
				p.rec.expire()
			}
		}
	}
	switch f.kind {
	case "stop":
		w.m.Stop()
		w.after(f.dur, w.m.Resume)
	case "compact":
		_, rev, _ := w.m.List(context.Background(), "/none")
		w.m.Compact(rev)
	case "wipe":
		w.m.Wipe()
	case "copy":
		w.mu.Lock()
		w.copied = w.m.Snapshot()
		w.mu.Unlock()
	case "restore":
		w.mu.Lock()
		w.m.Restore(w.copied)
		w.mu.Unlock()
	}
}

// mend ends a fault of a connection, unless its process has been killed: the dead stay silent.
func (w *world) mend(m *machine, way *storetest.Faulty, end func(bool)) {
	w.mu.Lock()
	alive := m.up != nil && m.up.way == way
	w.mu.Unlock()
	if alive {
		end(false)
	}
}

func (w *world) after(d time.Duration, do func()) {
	w.wg.Go(func() {
		time.Sleep(d)
		do()
	})
}
