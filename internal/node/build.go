package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/front"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/play"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/config"
	"weir/internal/stream"
	"weir/internal/trail"
)

// join makes this node a member of its cluster.
func (n *node) join(ctx context.Context) (err error) {
	n.cluster, err = cluster.New(cluster.Options{
		Store:   n.store,
		Secret:  []byte(n.cfg.Store.Secret.Reveal()),
		Logger:  n.log,
		Emit:    n.emit,
		Now:     n.world.Now,
		Highest: highest(&n.cfg),
		Ask:     n.askProcess,
		Gone:    n.streamGone,
		Self: cluster.NodeRecord{
			Name: n.cfg.Node.Name, Roles: roles(&n.cfg), Zone: n.cfg.Node.Zone, Version: Version(),
			Addresses: n.listeners.advertised(n.cfg.Node.Advertise, n.cfg.Node.Public),
			Capacity:  capacity(n.cfg.Node.Capacity), Weight: n.cfg.Node.Weight,
		},
	})
	if err != nil {
		return err
	}
	if err := n.cluster.Start(ctx); err != nil {
		if taken, ok := errors.AsType[*cluster.NameTakenError](err); ok {
			return taken // says all there is to say
		}
		return fmt.Errorf("joining the cluster: %w", err)
	}
	n.marks.self = trail.NewID(n.cluster.Self().Process)
	return nil
}

func roles(cfg *config.Config) []string {
	out := make([]string, len(cfg.Node.Roles))
	for i, r := range cfg.Node.Roles {
		out[i] = string(r)
	}
	return out
}

// capacity is what this node says that it may carry.
func capacity(c config.Capacity) cluster.Capacity {
	return cluster.Capacity{EgressBPS: float64(c.Egress), Sessions: c.Sessions, Publishers: c.Publishers}
}

// hubOptions are those of the hub that viewers are served by.
func (n *node) hubOptions() live.Options {
	return live.Options{
		RetainTime: n.cfg.Limits.GOPTime, RetainBytes: int(n.cfg.Limits.GOPBytes),
		LagLimit: n.cfg.Limits.ViewerLag, StallLimit: n.cfg.Limits.WriteStall,
		Observer: live.Observer{Count: n.drops.count},
		Latency: func(name stream.Name) live.Latency {
			p := n.cfg.PlayFor(name.App)
			return live.Latency{Max: p.MaxLatency, Low: p.LowLatency}
		},
	}
}

// build puts the media wing and the front together.
func (n *node) build() {
	o := n.hubOptions()
	n.hub = live.NewHub(o)
	o.Pumps = 1 // nothing joins it but cursors
	o.Observer.Count = func(name stream.Name, why live.Reason, count int) { n.drops.count(front.Carried(name), why, count) }
	n.transit = live.NewHub(o)

	reg := registry{n, n.cluster, n.cfg.Node.Name, newInquiry(n.askSilence)}

	n.peers = relay.NewPeers(n.cfg.Node.Name, n.cluster.Secret, n.dialer)
	n.pulls = relay.NewPulls(relay.PullOptions{
		Hub: n.hub, Peers: n.peers, Locator: reg, Emit: n.emit,
		Linger:  func(app string) time.Duration { return n.cfg.PlayFor(app).Grace },
		Grace:   func(app string) time.Duration { return n.cfg.PublishFor(app).Grace },
		Wait:    func(app string) time.Duration { return n.cfg.PlayFor(app).Wait },
		Silence: n.cfg.Limits.PublisherSilence,
		Believe: n.cluster.Believe,
		OnPull: func(name stream.Name, on bool) {
			if on {
				n.pulling.Add(1)
				n.cluster.PullStarted(name)
			} else {
				n.pulling.Add(-1)
				n.cluster.PullEnded(name)
			}
		},
	})
	n.ingest = ingest.New(ingest.Options{
		Hub: n.hub, Registry: reg, Emit: n.emit,
		FirstMedia: n.cfg.Limits.FirstMedia, Silence: n.cfg.Limits.PublisherSilence,
		OnStart: n.pulls.LocalStarted, OnEnd: n.pulls.LocalEnded,
	})
	n.play = play.New(play.Options{Pulls: n.pulls, Local: publications{n.ingest}, Emit: n.emit, WriteStall: n.cfg.Limits.WriteStall,
		Number: func() uint64 { return n.sessions.Number() }})
	n.front = front.New(front.Options{
		Node: n.cfg.Node.Name, Secret: n.cluster.Secret, Dial: n.dialer, Emit: n.emit, Hub: n.transit,
		Placer: n.placer, FirstMedia: n.cfg.Limits.FirstMedia, Silence: n.cfg.Limits.PublisherSilence,
		Publish: front.Way(n.cfg.Front.Publish), Play: front.Way(n.cfg.Front.Play), Redirect: n.cfg.Front.Redirect,
		Ledger: ledger{n.backends, n.cluster.PlacedChanged}, Registry: frontRegistry{reg}, SpliceLatency: n.cfg.Front.SpliceLatency,
		Self: n.marks.self, Own: n.ownTrail,
	})
	wire := n.cfg.Limits.Wire()
	wire.Handshake = -1 // the session's own, TLS and connect included
	n.sessions = session.NewServer(session.Options{
		Node: n.cfg.Node.Name, Secret: n.cluster.Secret, Handler: (*router)(n), Emit: n.emit,
		Wire:      wire,
		Handshake: n.cfg.Limits.Handshake, Command: n.cfg.Limits.Command, Record: n.cfg.Node.Has(config.RoleFront),
		ConnectionsPerAddr: n.cfg.Limits.ConnectionsPerAddr, Trusted: n.isNode, Proxy: n.cfg.RTMP.ProxyProtocol.Trusted(),
		Mark: n.ownMark,
	})
}

func (n *node) dialer(ctx context.Context, addr string) (net.Conn, error) {
	return n.world.Dial(ctx, "tcp", addr)
}
