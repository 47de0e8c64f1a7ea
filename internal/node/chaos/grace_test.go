package chaos

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"weir/internal/ops/config"
	"weir/internal/stream"
)

// pulls reports whether a node has a stream from another one.
func (w *world) pulls(m *machine, name stream.Name) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return m.up.pulls[name] > 0
}

// comes is a viewer who comes where another one has left.
func (w *world) comes(left *viewer) *viewer {
	ctx, leave := context.WithCancel(context.Background())
	v := &viewer{w: w, name: left.name, m: left.m, r: rand.New(rand.NewPCG(1, 20)), host: left.host, at: w.began, leave: leave}
	w.wg.Go(func() { v.run(ctx) })
	return v
}

// P3: viewers behind a front whose server dies, and the direct publisher with it, are held at a server that has never
// had the stream, until the publisher has come back.
func TestP3ViewersAreHeldWhereTheStreamHasNeverBeen(t *testing.T) {
	serving := []config.Role{config.RoleOrigin, config.RoleEdge}
	for _, away := range []time.Duration{500 * time.Millisecond, 2 * time.Second, 6 * time.Second} { // the last is longer than the lease
		t.Run(away.String(), func(t *testing.T) {
			sceneOf(t, [][]config.Role{serving, serving, {config.RoleFront}}, func(w *world, p *publisher, _ func(), views []*viewer) {
				views[0].leave()
				views[1].leave()
				time.Sleep(lingerTime + 2*time.Second)
				w.order(w.nodes[1].up, "drain", "1s")
				time.Sleep(time.Second)
				v := w.comes(views[1]) // the front's, served by n0
				time.Sleep(time.Second)
				w.order(w.nodes[1].up, "undrain", "")
				time.Sleep(time.Second)
				if w.pulls(w.nodes[1], p.name) {
					w.fail("n1 has the stream already")
				}
				w.end(w.nodes[0], true)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				defer v.leave()
				direct := &viewer{w: w, name: p.name, m: w.nodes[1], r: rand.New(rand.NewPCG(1, 30)), host: host(230), at: w.began}
				w.wg.Go(func() { direct.run(ctx) })
				time.Sleep(away)
				again := &publisher{w: w, name: p.name, r: rand.New(rand.NewPCG(1, 9)), host: host(101)}
				w.wg.Go(func() { w.logf("publisher again: %v", again.once(ctx, w.nodes[1])) })
				time.Sleep(1200 * time.Millisecond)
				if _, _, why := direct.state(); away <= 2*time.Second && direct.comes() != 1 {
					w.fail("who came to n1 itself meanwhile had to come %d times (%v)", direct.comes(), why)
				}
				if life, ago, why := v.state(); life != again.life() || ago > 500*time.Millisecond || v.comes() != 1 {
					w.fail("the viewer came %d times, and saw publisher %d %v ago, on air is %d (%v)", v.comes(), life, ago, again.life(), why)
				}
			})
		})
	}
}
