package node

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/front"
	"weir/internal/media/session"
	"weir/internal/ops/config"
)

// drainer empties the node: it takes nothing new and hands over what it has.
//
//	up ──Drain──▶ draining ◀──nothing left, or somebody after all──▶ drained
//	 ▲               │                                                  │
//	 └────────────Undrain───────────────────────────────────────────────┘
type drainer struct {
	requests atomic.Int64 // over HTTP under way; grows under mu

	mu     sync.Mutex // new sessions take it: nobody waits while holding it
	run    *drain     // nil while up
	last   bool       // run is the last: the process ends
	closed bool
}

// drain is one drain, until it is taken back.
type drain struct {
	cancel context.CancelFunc
	state  cluster.State // guarded by drainer.mu
	empty  chan struct{} // closed when the node was empty for the first time, or is up again
	once   sync.Once
}

func (d *drain) over() { d.once.Do(func() { close(d.empty) }) }

// draining reports whether the node takes nothing new.
func (n *node) draining() bool {
	n.drainer.mu.Lock()
	defer n.drainer.mu.Unlock()
	return n.drainer.run != nil
}

// let has a session in by what state the node is in. in is told before that can change, so who is
// emptying the node misses nobody, and does not count who only knocks.
func (d *drainer) let(in func(draining, leaving bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	in(d.run != nil, d.last)
}

// drain begins a drain, unless one runs, and returns a channel that is closed
// when the node is empty or up again. window spreads the release of viewers. The last drain takes
// the place of one that runs, and ends what is carried, too.
func (n *node) drain(window time.Duration, last bool) <-chan struct{} {
	d := &n.drainer
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		over := make(chan struct{})
		close(over)
		return over
	}
	if d.run != nil {
		if !last || d.last {
			return d.run.empty
		}
		d.run.cancel()
		d.run.over()
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := &drain{cancel: cancel, empty: make(chan struct{})}
	d.run, d.last = run, last
	n.setState(run, cluster.StateDraining)
	e := emptying{remaining: remaining{n, last}, window: window, is: func(empty bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.run != run {
			return
		}
		state := cluster.StateDraining
		if empty {
			state = cluster.StateDrained
			run.over()
		}
		n.setState(run, state)
	}}
	n.serving.Go(func() { e.run(ctx) })
	return run.empty
}

// undrain makes the node take sessions again. What has been moved stays where
// it is.
func (n *node) undrain() {
	d := &n.drainer
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run == nil || d.last {
		return
	}
	d.run.cancel()
	d.run.over()
	n.setState(d.run, cluster.StateUp)
	d.run = nil
}

// close ends a drain that runs, whatever is left.
func (d *drainer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.run != nil {
		d.run.cancel()
	}
}

// setState needs drainer.mu.
func (n *node) setState(run *drain, s cluster.State) {
	if run.state == s {
		return
	}
	run.state = s
	n.cluster.SetSelf(func(r *cluster.NodeRecord) { r.State = s })
	n.log.Info("node state", "state", string(s))
}

// elsewhere is the URL of the node that a direct publisher should go to; "" if
// placement knows none.
func (n *node) elsewhere(h session.Held) string {
	b, err := n.placer.Publisher(front.Request{Name: h.Name, Never: []string{n.cfg.Node.Name}})
	if err != nil {
		return ""
	}
	if b.Done != nil {
		b.Done(false) // it is the client's to come
	}
	url := "rtmp://" + b.Addr + "/" + h.Connect.App
	if h.Connect.Query != "" {
		url += "?" + h.Connect.Query // its own, by which it may publish there
	}
	return url
}

// others reports whether another node could take what this one has.
func (n *node) others() bool {
	for _, m := range n.cluster.Nodes() {
		if m.Name != n.cfg.Node.Name && m.State == cluster.StateUp && !m.Remembered &&
			(m.HasRole(string(config.RoleOrigin)) || m.HasRole(string(config.RoleEdge))) {
			return true
		}
	}
	return false
}

// leave drains the node before it stops, for as long as its configuration gives
// it. A node that nobody can take over from stops at once.
func (n *node) leave() {
	if n.cfg.Node.DrainTimeout <= 0 || !n.others() {
		return
	}
	t := time.NewTimer(n.cfg.Node.DrainTimeout)
	defer t.Stop()
	select {
	case <-n.drain(n.cfg.Node.DrainTimeout/2, true):
	case <-t.C:
		n.log.Warn("not empty within node.drain_timeout: what is left is cut")
	}
}
