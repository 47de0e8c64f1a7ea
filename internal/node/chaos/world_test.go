package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/control/store/storetest"
	"weir/internal/node"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

// world is one run of a schedule.
type world struct {
	s     *schedule
	m     *store.Memory
	net   *network
	began time.Time
	wg    sync.WaitGroup
	// configure changes what the nodes started later have; may be nil.
	configure func(*config.Config)

	mu       sync.Mutex
	nodes    []*machine
	pubs     []*publisher
	lives    uint64
	started  map[stream.Name]int // publications accepted
	copied   store.Snapshot
	log      []string
	failures []string
}

// machine is where one node's processes run, one after the other.
type machine struct {
	name  string
	host  string
	addr  string
	roles []config.Role

	// Guarded by world.mu.
	up   *process
	gen  int
	skew time.Duration // of its clock, as its next process has it
}

func (m *machine) has(r config.Role) bool { return config.Node{Roles: m.roles}.Has(r) }

// process is one life of a node.
type process struct {
	m    *machine
	gen  int
	e    *endpoint
	way  *storetest.Faulty
	stop context.CancelFunc
	done chan struct{}

	// Guarded by world.mu.
	chose  string // where its front placed somebody last
	pulls  map[stream.Name]int
	epochs map[stream.Name]stream.Epoch // of the pull before
}

func (w *world) logf(format string, args ...any) {
	line := fmt.Sprintf("%7.3fs ", time.Since(w.began).Seconds()) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	w.log = append(w.log, line)
	w.mu.Unlock()
}

func (w *world) fail(format string, args ...any) {
	w.logf("!!! "+format, args...)
	w.mu.Lock()
	w.failures = append(w.failures, fmt.Sprintf("%7.3fs ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
	w.mu.Unlock()
}

// starts is how many publications of a stream have been accepted.
func (w *world) starts(name stream.Name) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.started[name]
}

func (w *world) nextLife() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives++
	return w.lives
}

// entrance is a node that takes publishers from outside.
func (w *world) entrance(r *rand.Rand) *machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*machine
	for _, m := range w.nodes {
		if m.has(config.RoleFront) || m.has(config.RoleOrigin) && !w.s.fronts {
			all = append(all, m)
		}
	}
	return all[r.IntN(len(all))]
}

// start runs a machine's next process.
func (w *world) start(m *machine) {
	w.mu.Lock()
	m.gen++
	gen, skew := m.gen, m.skew
	w.mu.Unlock()
	p := &process{m: m, gen: gen, e: w.net.endpoint(m.host), done: make(chan struct{}), pulls: map[stream.Name]int{}, epochs: map[stream.Name]stream.Epoch{}}
	p.way = w.newWay(p)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	w.mu.Lock()
	m.up = p
	w.mu.Unlock()
	cfg := config.Default()
	cfg.Node.Name, cfg.Node.Advertise, cfg.Node.Roles, cfg.Node.DrainTimeout = m.name, m.host, m.roles, 2*time.Second
	cfg.RTMP.Listen, cfg.HTTP.Listen, cfg.Admin.Listen = m.addr, "", ""
	cfg.Play.Grace = lingerTime
	cfg.Limits.ConnectionsPerAddr = 10_000
	if w.configure != nil {
		w.configure(&cfg)
	}
	world := node.World{
		Now:    func() time.Time { return time.Now().Add(skew) },
		Listen: p.e.listen, Dial: p.e.dial, Emit: func(e event.Event) { w.event(p, e) },
		Store: func(context.Context) (store.Store, error) { return w.way(p), nil },
	}
	w.wg.Go(func() {
		defer close(p.done)
		for ctx.Err() == nil {
			// Its log is what it says to the world; a start that failed is tried again, as by a supervisor.
			if err := world.Run(ctx, cfg, slog.New(slog.DiscardHandler)); err == nil {
				return
			}
			wait(ctx, 200*time.Millisecond)
			way := w.newWay(p)
			w.mu.Lock()
			p.way = way
			w.mu.Unlock()
		}
	})
}

// newWay is a fresh connection to the store.
func (w *world) newWay(p *process) *storetest.Faulty {
	return storetest.NewFaulty(w.m.Client(), rand.New(rand.NewPCG(w.s.seed, uint64(p.gen)<<8|uint64(p.m.host[len(p.m.host)-1]))))
}

func (w *world) way(p *process) *storetest.Faulty {
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.way
}

// event notes what a node says, and counts its pulls.
func (w *world) event(p *process, e event.Event) {
	switch e := e.(type) {
	case event.PullStarted:
		w.mu.Lock()
		p.pulls[e.Name]++
		many, before := p.pulls[e.Name], p.epochs[e.Name]
		p.epochs[e.Name] = e.Epoch
		w.mu.Unlock()
		if e.Epoch.Less(before) {
			w.fail("%s.%d pulls %v under %v after %v", p.m.name, p.gen, e.Name, e.Epoch, before)
		}
		if many > 1 {
			w.fail("%s.%d pulls %v %d times", p.m.name, p.gen, e.Name, many)
		}
	case event.PullEnded:
		w.mu.Lock()
		p.pulls[e.Name]--
		w.mu.Unlock()
	case event.Placed:
		w.mu.Lock()
		p.chose = e.Node
		w.mu.Unlock()
		return
	case event.PublishStarted:
		w.mu.Lock()
		w.started[stream.Name{App: e.App, Stream: e.Stream}]++
		w.mu.Unlock()
	case event.Claimed, event.Released, event.OwnershipLost, event.StoreLost, event.StoreBack, event.PublishEnded,
		event.BackendFailed, event.BackendChanged, event.NodeUp, event.NodeDown:
	default:
		return
	}
	w.logf("%s.%d %s", p.m.name, p.gen, event.Line(e))
}

// end ends a machine's process and returns it.
func (w *world) end(m *machine, killed bool) *process {
	w.mu.Lock()
	p := m.up
	m.up = nil
	w.mu.Unlock()
	if p == nil {
		return nil
	}
	if killed {
		w.way(p).Partition(true)
		p.e.die()
	}
	p.stop()
	return p
}

// strike makes one fault happen, and ends it after its time.
func (w *world) strike(f fault) {
	w.logf("--- %v", f)
	var m *machine
	var p *process
	var way *storetest.Faulty
	if f.node >= 0 {
		m = w.nodes[f.node]
		w.mu.Lock()
		p = m.up
		w.mu.Unlock()
		if p == nil {
			return
		}
		way = w.way(p)
	}
	switch f.kind {
	case "kill", "leave":
		w.end(m, f.kind == "kill")
		w.after(f.dur, func() {
			if f.kind == "leave" {
				<-p.done
			}
			w.start(m)
		})
	case "cut":
		other := w.nodes[f.other].host
		w.net.link(m.host, other, true)
		w.net.link(other, m.host, true)
		w.after(f.dur, func() {
			w.net.link(m.host, other, false)
			w.net.link(other, m.host, false)
		})
	case "deaf": // sends, and hears nothing
		w.net.link("*", m.host, true)
		w.after(f.dur, func() { w.net.link("*", m.host, false) })
	case "pause": // nothing in, nothing out, the store included
		w.net.link("*", m.host, true)
		w.net.link(m.host, "*", true)
		way.Freeze(true)
		w.after(f.dur, func() {
			w.net.link("*", m.host, false)
			w.net.link(m.host, "*", false)
			w.mend(p, way.Freeze)
		})
	case "no store":
		way.Partition(true)
		w.after(f.dur, func() { w.mend(p, way.Partition) })
	case "slow store":
		way.Freeze(true)
		w.after(f.dur, func() { w.mend(p, way.Freeze) })
	case "flaky store":
		way.Flaky(f.share)
		w.after(f.dur, func() { way.Flaky(0) })
	case "store down":
		w.m.Stop()
		w.after(f.dur, w.m.Resume)
	case "store wiped":
		w.m.Wipe()
	case "store copied":
		w.mu.Lock()
		w.copied = w.m.Snapshot()
		w.mu.Unlock()
	case "store restored":
		w.mu.Lock()
		copied := w.copied
		w.mu.Unlock()
		w.m.Restore(copied)
	case "hang up":
		p := w.pubs[0]
		p.mu.Lock()
		e := p.at
		p.mu.Unlock()
		e.die()
	case "skew": // its clock jumps, and it is started anew
		w.end(m, true)
		w.after(f.dur, func() {
			w.mu.Lock()
			m.skew = f.skew
			w.mu.Unlock()
			w.start(m)
		})
	case "drain":
		w.after(0, func() {
			end := time.After(f.dur)
			w.order(p, "drain", "2s")
			<-end
			w.order(p, "undrain", "")
		})
	}
}

func (w *world) mend(p *process, end func(bool)) {
	w.mu.Lock()
	alive := p.m.up == p
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

// stored lists the keys of a kind.
func (w *world) stored(kind string) (keys []string) {
	kvs, _, _ := w.m.List(context.Background(), "/weir/1/"+kind+"/")
	for _, kv := range kvs {
		keys = append(keys, strings.TrimPrefix(kv.Key, "/weir/1/"+kind+"/"))
	}
	return keys
}

func report(t *testing.T, w *world) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.failures {
		t.Errorf("seed %d: %s", w.s.seed, f)
	}
	if t.Failed() {
		t.Logf("%v\n%s", w.s, strings.Join(w.log, "\n"))
	}
}
