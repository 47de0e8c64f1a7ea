package chaos

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"weir/internal/ops/config"
)

// P1: a viewer who is carried to another edge gets nothing there from an owner whose successor it has seen. The edge
// does not know better: it is cut off from the store, and its lease has not run out.
func TestP1CarriedViewersGetNoStaleFrames(t *testing.T) {
	origin, edge := []config.Role{config.RoleOrigin}, []config.Role{config.RoleEdge}
	takeover := func(cfg *config.Config) { cfg.Publish.Duplicate = config.DuplicateTakeover }
	sceneWith(t, [][]config.Role{origin, origin, edge, edge, {config.RoleFront}}, takeover, func(w *world, p *publisher, _ func(), views []*viewer) {
		v, old := views[3], p.life()
		views[0].leave() // n1 takes no viewers of its own
		w.mu.Lock()
		at, other := 2, 3
		if w.nodes[4].up.chose == "n3" {
			at, other = 3, 2
		}
		w.mu.Unlock()
		for _, i := range []int{0, other} {
			w.strike(fault{kind: "no store", node: i, other: -1, dur: time.Minute})
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		next := &publisher{w: w, name: p.name, r: rand.New(rand.NewPCG(1, 9)), host: host(101)}
		w.wg.Go(func() { w.logf("the next publisher: %v", next.once(ctx, w.nodes[1])) })
		time.Sleep(time.Second)
		if life, _, _ := v.state(); life != next.life() || life == 0 || p.life() != old {
			w.fail("the viewer sees %d, on air are %d and %d", life, p.life(), next.life())
		}
		w.end(w.nodes[at], true)
		for range 30 {
			time.Sleep(50 * time.Millisecond)
			if life, _, _ := v.state(); life != next.life() {
				w.fail("the viewer sees publisher %d again", life)
				return
			}
		}
		cancel()
		time.Sleep(time.Second)
	})
}
