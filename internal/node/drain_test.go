package node_test

import (
	"testing"
	"time"

	"weir/internal/control/store"
	"weir/internal/ops/config"
	"weir/rtmp"
)

// pairOf is a node with all roles and another one that can take what it has, in one cluster.
func pairOf(t *testing.T, change func(*config.Config)) (n, other *running, stop func()) {
	t.Helper()
	m := store.NewMemory()
	cfg := quickConfig("other")
	cfg.Node.Roles, cfg.Node.DrainTimeout = []config.Role{config.RoleOrigin, config.RoleEdge}, 0
	other, _ = startWith(t, inStore(m), cfg)
	cfg = quickConfig("leaver")
	cfg.Admin.Listen, cfg.Node.DrainTimeout = "127.0.0.1:0", 0
	change(&cfg)
	n, stop = startWith(t, inStore(m), cfg)
	n.sees(t, "other")
	return n, other, stop
}

func state(s string) func(line) bool {
	return func(l line) bool { return l.msg == "node state" && l.attrs["state"] == s }
}

// served publishes until the node has taken the stream itself, rather than carried it.
func (a *attack) served(t *testing.T) *onAir {
	t.Helper()
	for _, name := range []string{"own1", "own2", "own3", "own4", "own5", "own6", "own7", "own8"} {
		from := a.n.log.length()
		p, err := a.goOnAir(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, here := a.n.log.wait(500*time.Millisecond, func(l line) bool { return l.n >= from && l.msg == "publish started" }); here {
			return p
		}
		p.Close()
	}
	t.Fatal("the node takes nothing itself")
	return nil
}

// A node that takes direct clients while it is drained carries them: they are not ended, which
// would bring them back, and the drain does not wait for them.
func TestP3DrainLeavesWhatIsCarried(t *testing.T) {
	n, other, _ := pairOf(t, func(*config.Config) {})
	a := newAttack(t, n)
	stays := a.served(t) // cannot move: keeps the drain going
	there := newAttack(t, other)
	if _, err := there.goOnAir("cam"); err != nil {
		t.Fatal(err)
	}
	if err := n.api().Drain(t.Context(), "leaver", 0); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.log.wait(patience, state("draining")); !ok {
		t.Fatal("not draining")
	}
	carried, err := a.goOnAir("carried")
	if err != nil {
		t.Fatal(err)
	}
	v := a.playing("cam")
	ended := make(chan string, 1)
	go func() {
		for {
			ev, err := v.Next()
			if err != nil {
				ended <- err.Error()
				return
			}
			if ev.Kind == rtmp.EventStatus && ev.Status.Code == rtmp.CodePlayStop {
				ended <- ev.Status.Code
				return
			}
		}
	}()
	carried.stays(t, time.Second)
	select {
	case why := <-ended:
		t.Errorf("the carried viewer was ended: %s", why)
	default:
	}
	stays.Close()
	if _, ok := n.log.wait(patience, state("drained")); !ok {
		t.Error("with nothing but carried sessions the node is not drained")
	}
	carried.stays(t, 700*time.Millisecond) // until it has been looked at again
	select {
	case why := <-ended:
		t.Errorf("the carried viewer was ended: %s", why)
	default:
	}
	if err := n.api().Undrain(t.Context(), "leaver"); err != nil {
		t.Error(err)
	}
	if _, ok := n.log.wait(patience, state("up")); !ok {
		t.Error("not up again")
	}
}

// SIGTERM waits for who cannot move for node.drain_timeout, and takes nobody meanwhile.
func TestStopWaitsForTheDrainTimeout(t *testing.T) {
	const limit = 5 * time.Second
	n, _, stop := pairOf(t, func(cfg *config.Config) { cfg.Node.DrainTimeout = limit })
	a := newAttack(t, n)
	stays := a.served(t)
	stopped := make(chan struct{})
	began := time.Now()
	go func() {
		stop()
		close(stopped)
	}()
	if _, ok := n.log.wait(patience, state("draining")); !ok {
		t.Fatal("not draining")
	}
	if _, err := a.goOnAir("late"); err == nil {
		t.Error("a node that goes took another publisher")
	}
	stays.ends(t, patience, rtmp.CodePublishRejected)
	if d := time.Since(began); d < limit {
		t.Errorf("it was cut after %v, the limit is %v", d, limit)
	}
	a.close()
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Error("the node does not end")
	}
}
