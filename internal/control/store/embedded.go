package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// EmbeddedOptions configure an etcd member in this process. The zero value is
// a lone member on a free loopback port whose data vanish with it.
type EmbeddedOptions struct {
	Name   string // of the member, unique among its peers; "weir" if empty
	Dir    string // the member's data; empty: a temporary directory, removed at Close
	Listen string // host:port for clients, this and other nodes; "127.0.0.1:0" if empty

	// For three or five members with each other, all of these; for a lone one, none.
	PeerListen     string // host:port for the other members; their way here too
	InitialCluster string // "name=host:port,…" of all members, this one included
	Join           bool   // the cluster exists already and has been told of this member

	StartTimeout time.Duration // until the member answers; 30 s if 0
	Timeout      time.Duration // of one call, DefaultTimeout if 0
	Logger       *slog.Logger  // discards if nil; hears etcd's warnings
}

// embeddedStart is the default StartTimeout: the other members of a new cluster
// may be started by hand, one after another.
const embeddedStart = 30 * time.Second

// Embedded is a store with an etcd member of its own. Its calls go through a
// client over loopback, the same code as for an external cluster.
type Embedded struct {
	*Etcd
	server *embed.Etcd
	addr   string
	tmp    string      // directory to remove
	mute   atomic.Bool // closing: etcd warns of every listener that it closes itself
}

// StartEmbedded starts the member and waits until it answers.
func StartEmbedded(ctx context.Context, o EmbeddedOptions) (*Embedded, error) {
	if o.StartTimeout == 0 {
		o.StartTimeout = embeddedStart
	}
	s := &Embedded{}
	if o.Dir == "" {
		var err error
		if s.tmp, err = os.MkdirTemp("", "weir-store-"); err != nil {
			return nil, fmt.Errorf("store: embedded etcd: %w", err)
		}
	} else if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: embedded etcd: data directory: %w", err)
	}
	if err := waitDir(ctx, o.Dir, o.Logger); err != nil {
		return nil, err
	}
	cfg, err := o.config(s.tmp, &s.mute)
	if err != nil {
		return nil, errors.Join(err, s.removeTemp())
	}
	if s.server, err = embed.StartEtcd(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("store: embedded etcd: %w", err), s.removeTemp())
	}
	select {
	case <-s.server.Server.ReadyNotify():
	case err = <-s.server.Err():
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(o.StartTimeout):
		err = &UnavailableError{Op: "start", Endpoints: []string{cfg.ListenClientUrls[0].Host},
			Hint: "a member is ready when more than half of the initial cluster are up; peers: " + cfg.InitialCluster}
	}
	if err != nil {
		s.mute.Store(true)
		s.server.Close()
		return nil, errors.Join(fmt.Errorf("store: embedded etcd: %w", err), s.removeTemp())
	}
	s.addr = s.server.Clients[0].Addr().String()
	s.Etcd, err = NewEtcd(EtcdOptions{Endpoints: []string{loopback(s.addr)}, Timeout: o.Timeout, Logger: o.Logger})
	if err != nil {
		s.server.Close()
		return nil, errors.Join(err, s.removeTemp())
	}
	return s, nil
}

// Addr is the client address as bound: what other nodes name as their endpoint.
func (s *Embedded) Addr() string { return s.addr }

// Close stops the client and the member.
func (s *Embedded) Close() error {
	s.mute.Store(true)
	err := s.Etcd.Close()
	s.server.Close()
	return errors.Join(err, s.removeTemp())
}

func (s *Embedded) removeTemp() error {
	if s.tmp == "" {
		return nil
	}
	return os.RemoveAll(s.tmp)
}

func (o EmbeddedOptions) config(tmp string, mute *atomic.Bool) (*embed.Config, error) {
	cfg := embed.NewConfig()
	cfg.Name = o.Name
	if cfg.Name == "" {
		cfg.Name = "weir"
	}
	cfg.Dir = o.Dir
	if tmp != "" {
		cfg.Dir = tmp
		cfg.UnsafeNoFsync = true // nobody reads it again
	}
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapToSlog(o.Logger, mute))
	cfg.EnableGRPCGateway = false
	// Loads change once a second: without compaction the history alone fills
	// the quota in days. Five minutes let a watcher come back without listing anew.
	cfg.AutoCompactionMode = embed.CompactorModePeriodic
	cfg.AutoCompactionRetention = "5m"

	client, err := endpointURL(o.Listen, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	if (o.PeerListen == "") != (o.InitialCluster == "") {
		return nil, errors.New("store: embedded etcd: the peer address and the initial cluster belong together")
	}
	// A lone member listens for peers nobody tells about; port 0 stays the same in
	// its records over restarts.
	peer, err := endpointURL(o.PeerListen, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	if o.InitialCluster != "" {
		if cfg.InitialCluster, err = initialCluster(o.InitialCluster); err != nil {
			return nil, err
		}
	}
	if o.Join {
		cfg.ClusterState = embed.ClusterStateFlagExisting
	}
	return cfg, nil
}

// initialCluster turns name=host:port pairs into name=URL pairs.
func initialCluster(s string) (string, error) {
	var out []string
	for pair := range strings.SplitSeq(s, ",") {
		name, addr, ok := strings.Cut(strings.TrimSpace(pair), "=")
		u, err := endpointURL(addr, "")
		if !ok || name == "" || err != nil {
			return "", fmt.Errorf("store: embedded etcd: initial cluster: %q is not name=host:port", pair)
		}
		out = append(out, name+"="+u.String())
	}
	return strings.Join(out, ","), nil
}

func endpointURL(addr, def string) (url.URL, error) {
	if addr == "" {
		addr = def
	}
	addr = strings.TrimPrefix(addr, "http://")
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return url.URL{}, fmt.Errorf("store: embedded etcd: address %q is not host:port", addr)
	}
	switch host {
	case "":
		host = "0.0.0.0"
	case "localhost":
		host = "127.0.0.1" // etcd binds numbers only
	}
	return url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}

// loopback is how this process itself reaches a bound address.
func loopback(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
