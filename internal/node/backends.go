package node

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"

	"weir/internal/control/fleet"
	"weir/internal/control/fleet/discovery"
	"weir/internal/control/fleet/health"
	"weir/internal/control/fleet/load"
	"weir/internal/control/place"
	"weir/internal/ops/config"
)

// backendParts learn of the servers that are no nodes, and watch them.
type backendParts struct {
	srs     net.Listener // where servers register; nil: nowhere
	checker *health.Checker
	poller  *load.Poller
	sources []discovery.Source
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// startBackends begins to learn of backends. Those that the configuration names are there when it returns.
func (n *node) startBackends() error {
	from := &n.cfg.Front.Backends
	if !from.Any() {
		return nil
	}
	p := &n.watched
	if from.SRS.Listen != "" {
		l, err := n.world.Listen("tcp", from.SRS.Listen)
		if err != nil {
			return fmt.Errorf("srs registration listener: %w", err)
		}
		n.log.Info("listening", "what", "srs registration", "addr", l.Addr().String())
		p.srs = l
	}
	p.checker = health.New(health.Options{Backends: n.backends, Dial: n.dialer, Emit: n.emit, Own: n.ownTrail})
	p.poller = load.New(load.Options{Backends: n.backends, Dial: n.dialer, Emit: n.emit})
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())

	o := discovery.Options{Backends: n.backends, Emit: n.emit}
	if len(from.Servers) > 0 {
		list := make([]config.Backend, len(from.Servers))
		for i, s := range from.Servers {
			list[i] = from.Backend(s)
		}
		p.sources = append(p.sources, discovery.Static(o, backends(list)))
	}
	for _, d := range from.DNS {
		s := discovery.NewDNS(o, discovery.DNSOptions{Name: d.Name, Type: string(d.Type), Port: d.Port, HTTPPort: d.HTTPPort,
			Resolver: d.Resolver, Describe: func(f discovery.Found) fleet.Backend { return found(from, f, d.BackendSettings) }})
		p.sources = append(p.sources, s)
		p.done.Go(func() { s.Run(ctx) })
	}
	for _, path := range from.File {
		s := discovery.NewFile(o, discovery.FileOptions{Path: path, Parse: func(path string, data []byte) ([]fleet.Backend, error) {
			list, err := from.ParseServers(path, data)
			return backends(list), err
		}})
		p.sources = append(p.sources, s)
		p.done.Go(func() { s.Run(ctx) })
	}
	for _, h := range from.HTTP {
		s := discovery.NewPoll(o, discovery.PollOptions{URL: h.URL, Interval: h.Interval, Token: h.Token, Parse: func(data []byte) ([]fleet.Backend, error) {
			list, err := from.ParseServersJSON(data, h.BackendSettings)
			return backends(list), err
		}})
		p.sources = append(p.sources, s)
		p.done.Go(func() { s.Run(ctx) })
	}
	if p.srs != nil {
		n.registrations(ctx, o)
	}
	return nil
}

// registrations serves the listener at which servers register.
func (n *node) registrations(ctx context.Context, o discovery.Options) {
	from := &n.cfg.Front.Backends
	s := discovery.NewSRS(o, discovery.SRSOptions{Token: from.SRS.Token, Trust: config.Networks(from.SRS.Trust), Expire: from.SRS.Expire,
		Describe: func(f discovery.Found, api string) fleet.Backend {
			// It registers as SRS does, so unless somebody says otherwise it is one.
			like := config.BackendSettings{Kind: new(config.KindSRS)}
			b := found(from, f, from.SRS.BackendSettings, like)
			if b.Load.Kind == fleet.LoadSRS && b.Load.URL == "" && api != "" {
				b.Load.URL = "http://" + api
			}
			return b
		}})
	n.watched.sources = append(n.watched.sources, s)
	n.watched.done.Go(func() { s.Run(ctx) })
	n.watched.done.Go(func() {
		if err := s.Serve(ctx, n.watched.srs); err != nil {
			n.log.Error("srs registration listener", "err", err)
		}
	})
}

// stop ends all of it; the registry stays as it is.
func (p *backendParts) stop() {
	if p.cancel != nil {
		p.cancel()
	}
	if p.srs != nil {
		p.srs.Close()
	}
	p.done.Wait()
	if p.checker != nil {
		p.checker.Close()
		p.poller.Close()
	}
}

// found is a server that was found, with what applies to it.
func found(from *config.Backends, f discovery.Found, sources ...config.BackendSettings) fleet.Backend {
	b := from.Backend(config.Server{Name: f.Name, RTMP: f.RTMP, HTTP: f.HTTP}, sources...)
	b.Weight *= cmp.Or(f.Weight, 1)
	if _, _, err := net.SplitHostPort(b.Public); err != nil {
		b.Public = "" // the name that it was found by is no host
	}
	return backendOf(b)
}

func backends(list []config.Backend) []fleet.Backend {
	out := make([]fleet.Backend, len(list))
	for i, b := range list {
		out[i] = backendOf(b)
	}
	return out
}

// backendOf is a configured backend as the registry has it.
func backendOf(b config.Backend) fleet.Backend {
	announce := fleet.Announce(b.Announce)
	if b.Announce == config.AnnounceNone {
		announce = fleet.AnnounceNot
	}
	return fleet.Backend{
		Name: b.Name, RTMP: b.RTMP, HTTP: b.HTTP, Public: b.Public, Zone: b.Zone, Publishes: b.Publish, Serves: b.Play, Shared: b.Shared, Weight: b.Weight,
		Capacity: place.Capacity{EgressBPS: float64(b.Egress), Sessions: b.MaxConnections, Publishers: b.MaxPublishers},
		Kind:     fleet.Kind(b.Kind), Announce: announce,
		Check: fleet.Check{Kind: fleet.CheckKind(b.Check.Kind), Interval: b.Check.Interval, Jitter: b.Check.Jitter, Timeout: b.Check.Timeout,
			Rise: b.Check.Rise, Fall: b.Check.Fall, URL: b.Check.URL, Passive: b.Check.Passive},
		Load: fleet.LoadSource{Kind: fleet.LoadKind(b.Load.Kind), URL: b.Load.URL, Interval: b.Load.Interval},
	}
}

// sampleBackends measures what this front has at backends, and tells the other fronts. It is called once a second, for what
// changes without a word: rates, and who the other fronts are.
func (n *node) sampleBackends() {
	if n.backends.Len() > 0 {
		n.backends.Sample()
		n.cluster.PlacedChanged()
	}
}
