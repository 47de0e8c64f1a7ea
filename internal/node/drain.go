package node

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/front"
	"weir/internal/media/session"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
)

const (
	// drainStep is how often a drain looks at what is left.
	drainStep = 50 * time.Millisecond
	// releaseRate is the least number of viewers a second that a drain lets go.
	// Why not smaller: an edge with few viewers is empty at once. Why not larger:
	// they all come back somewhere else.
	releaseRate = 50
)

// drainer empties the node: it takes nothing new and hands over what it has.
//
//	up ──Drain──▶ draining ──nothing left──▶ drained
//	 ▲               │                          │
//	 └────────────Undrain───────────────────────┘
type drainer struct {
	mu     sync.Mutex
	cancel context.CancelFunc // nil while up
	done   chan struct{}      // closed when drained, or undrained
}

// draining reports whether the node takes nothing new.
func (n *node) draining() bool {
	n.drainer.mu.Lock()
	defer n.drainer.mu.Unlock()
	return n.drainer.cancel != nil
}

// drain begins a drain, unless one runs, and returns a channel that is closed
// when the node is empty or up again. window spreads the release of viewers.
func (n *node) drain(window time.Duration) <-chan struct{} {
	d := &n.drainer
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		return d.done
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel, d.done = cancel, make(chan struct{})
	n.setState(cluster.StateDraining)
	go func(done chan<- struct{}) {
		defer close(done)
		if n.empty(ctx, window) == nil {
			n.setState(cluster.StateDrained)
		}
	}(d.done)
	return d.done
}

// undrain makes the node take sessions again. What has been moved stays where
// it is.
func (n *node) undrain() {
	d := &n.drainer
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel == nil {
		return
	}
	d.cancel()
	<-d.done
	d.cancel = nil
	n.setState(cluster.StateUp)
}

func (n *node) setState(s cluster.State) {
	n.cluster.SetSelf(func(r *cluster.NodeRecord) { r.State = s })
	n.log.Info("node state", "state", string(s))
}

// empty moves and releases sessions until none is left. Publishers are asked to
// move once each, at once: their viewers notice nothing. Viewers go at a rate,
// in random order.
func (n *node) empty(ctx context.Context, window time.Duration) error {
	asked := make(map[session.Held]bool)
	var rate, due float64 // viewers a second; viewers that may go now
	tick := time.NewTicker(drainStep)
	defer tick.Stop()
	for {
		publishers, viewers := n.split(n.sessions.Held())
		overHTTP, _ := n.play.HTTPLoad()
		if len(publishers)+len(viewers)+overHTTP == 0 {
			return nil
		}
		for _, h := range publishers {
			if !asked[h] {
				asked[h] = true
				h.AskToMove(n.elsewhere(h))
			}
		}
		rate = max(rate, releaseRate, float64(len(viewers)+overHTTP)/max(window.Seconds(), 1))
		due += rate * drainStep.Seconds() * (0.5 + rand.Float64())
		for i := range rand.Perm(len(viewers)) {
			if due < 1 {
				break
			}
			h := viewers[i]
			if asked[h] {
				continue
			}
			asked[h] = true
			due--
			if h.Member == "" || !h.AskToMove("") {
				h.End(event.NodeStopping)
			}
		}
		if due >= 1 {
			due -= float64(n.play.ReleaseHTTP(int(due)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// split sorts RTMP sessions. Feeds are neither: they end with what they carry.
func (n *node) split(all []session.Held) (publishers, viewers []session.Held) {
	for _, h := range all {
		switch h.Role {
		case event.RolePublisher:
			publishers = append(publishers, h)
		case event.RoleViewer:
			viewers = append(viewers, h)
		}
	}
	return publishers, viewers
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
	case <-n.drain(n.cfg.Node.DrainTimeout / 2):
	case <-t.C:
		n.log.Warn("not empty within node.drain_timeout: what is left is cut")
	}
}
