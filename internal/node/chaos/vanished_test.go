package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// As in package node: a publisher that has been silent for so long yields, and who is asked has so long to answer.
const (
	yieldAfter   = 2 * time.Second
	ownerTimeout = time.Second
)

// scene runs a story of origins that serve viewers, too, with one publisher, at n0, and a viewer at each other
// node.
func scene(t *testing.T, f func(w *world, p *publisher, leave func(), views []*viewer)) {
	sceneOf(t, layouts[1], f)
}

// sceneOf is scene of nodes with those roles.
func sceneOf(t *testing.T, roles [][]config.Role, f func(w *world, p *publisher, leave func(), views []*viewer)) {
	sceneWith(t, roles, nil, f)
}

func sceneWith(t *testing.T, roles [][]config.Role, configure func(*config.Config), f func(w *world, p *publisher, leave func(), views []*viewer)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{s: &schedule{seed: 1, roles: roles, streams: 1}, m: store.NewMemory(), net: newNetwork(), configure: configure, began: time.Now(), started: map[stream.Name]int{}}
		defer report(t, w)
		for i, roles := range w.s.roles {
			m := &machine{name: fmt.Sprint("n", i), host: host(i), addr: host(i) + ":1935", roles: roles}
			w.nodes = append(w.nodes, m)
			w.start(m)
		}
		time.Sleep(time.Second)
		ctx, off := context.WithCancel(context.Background())
		onAir, leave := context.WithCancel(ctx)
		p := &publisher{w: w, name: stream.Name{App: "live", Stream: "s0"}, r: rand.New(rand.NewPCG(1, 1)), host: host(100)}
		w.wg.Go(func() { w.logf("publisher: %v", p.once(onAir, w.nodes[0])) })
		time.Sleep(time.Second)
		var views []*viewer
		for k, m := range w.nodes[1:] {
			v := &viewer{w: w, name: p.name, m: m, r: rand.New(rand.NewPCG(1, uint64(k))), host: host(200 + k), at: w.began}
			watching, gone := context.WithCancel(ctx)
			v.leave = gone
			views = append(views, v)
			w.wg.Go(func() { v.run(watching) })
		}
		time.Sleep(2 * time.Second)
		f(w, p, leave, views)
		off()
		time.Sleep(time.Second)
		var last []*process
		for _, m := range w.nodes {
			if p := w.end(m, false); p != nil {
				last = append(last, p)
			}
		}
		for _, p := range last {
			<-p.done
		}
		w.m.Close()
		w.wg.Wait()
	})
}

// knock has somebody else publish the stream at a node for a moment, and reports whether that was let.
func (w *world) knock(name stream.Name, m *machine) (let bool, err error) {
	p := &publisher{w: w, name: name, r: rand.New(rand.NewPCG(1, 2)), host: host(150)}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	began := w.starts(name)
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for w.starts(name) == began && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	err = p.once(ctx, m)
	cancel()
	<-stop
	return w.starts(name) > began, err
}

func (p *publisher) life() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.live
}

// P1, P2: an origin that is cut off from the store alone keeps its stream, and nobody takes the name from its
// live publisher: not when its record has run out, nor at a node that has started since.
func TestP1LiveNameOutlivesItsRecord(t *testing.T) {
	scene(t, func(w *world, p *publisher, _ func(), views []*viewer) {
		own := p.life()
		w.strike(fault{kind: "no store", node: 0, other: -1, dur: 2 * time.Minute})
		time.Sleep(2 * ttl)
		if keys := w.stored("streams"); len(keys) > 0 {
			w.fail("the store still has %v", keys)
		}
		refused := func(m *machine) {
			began := time.Now()
			if let, err := w.knock(p.name, m); let {
				w.fail("%s gave the name of a live publisher away (%v)", m.name, err)
			} else if d := time.Since(began); d > time.Second {
				w.fail("the refusal took %v", d)
			}
		}
		refused(w.nodes[1])
		refused(w.nodes[2])
		young := w.nodes[2]
		last := w.end(young, false)
		<-last.done
		w.start(young)
		time.Sleep(2 * time.Second)
		refused(young)
		// Nor where the owner cannot be reached, while others have its stream.
		w.net.link(w.nodes[0].host, young.host, true)
		w.net.link(young.host, w.nodes[0].host, true)
		time.Sleep(5 * time.Second)
		if let, err := w.knock(p.name, young); let {
			w.fail("%s gave the name of a live publisher away, which it cannot reach (%v)", young.name, err)
		}
		if life, ago, _ := views[0].state(); p.life() != own || life != own || ago > time.Second {
			w.fail("on air is %d, the viewer saw %d %v ago; at first it was %d", p.life(), life, ago, own)
		}
	})
}

// The dead are not waited for: a name whose owner died after its record had run out is free at once if that can be
// told, and after what a silent publisher gets if not.
func TestVanishedOwnerThatDiesYields(t *testing.T) {
	for _, c := range []struct {
		how    string
		within time.Duration
		strike func(w *world)
	}{
		{"its publisher leaves", 100 * time.Millisecond, nil},
		{"killed", 100 * time.Millisecond, func(w *world) { w.end(w.nodes[0], true) }},
		{"frozen", yieldAfter + ownerTimeout + 500*time.Millisecond, func(w *world) {
			w.net.link("*", w.nodes[0].host, true)
			w.net.link(w.nodes[0].host, "*", true)
			w.after(time.Minute, func() {
				w.net.link("*", w.nodes[0].host, false)
				w.net.link(w.nodes[0].host, "*", false)
			})
		}},
	} {
		t.Run(c.how, func(t *testing.T) {
			scene(t, func(w *world, p *publisher, leave func(), _ []*viewer) {
				w.strike(fault{kind: "no store", node: 0, other: -1, dur: time.Minute})
				time.Sleep(2 * ttl)
				if c.strike == nil {
					leave()
				} else {
					c.strike(w)
				}
				began := time.Now()
				for {
					let, err := w.knock(p.name, w.nodes[1])
					if let {
						break
					}
					if time.Since(began) > 10*time.Second {
						w.fail("the name is kept: %v", err)
						return
					}
				}
				if d := time.Since(began); d > c.within {
					w.fail("the name was free after %v", d)
				}
			})
		})
	}
}
