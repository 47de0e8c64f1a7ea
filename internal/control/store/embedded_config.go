package store

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// config is etcd's for a lone member; tmp is its directory if it has none of its own.
func (o EmbeddedOptions) config(tmp string, log *zap.Logger) (*embed.Config, error) {
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
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
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
	// A lone member listens for peers nobody tells about; port 0 stays the same in
	// its records over restarts.
	peer, err := endpointURL(o.PeersListen, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	return cfg, nil
}

// setInitialCluster finds out what a member of several begins with, and waits for the others if it has no data.
func (o EmbeddedOptions) setInitialCluster(ctx context.Context, cfg *embed.Config, all members) error {
	if len(all) == 0 {
		return nil
	}
	self, ok := all.named(cfg.Name)
	if !ok {
		return fmt.Errorf("%s is not among its members, %s", cfg.Name, all.initial())
	}
	advertised, err := url.Parse(self.url())
	if err != nil {
		return err
	}
	cfg.AdvertisePeerUrls = []url.URL{*advertised}
	if o.PeersListen == "" {
		cfg.ListenPeerUrls = cfg.AdvertisePeerUrls
	}
	cfg.InitialCluster = all.initial()
	if wal.Exist(filepath.Join(cfg.Dir, "member", "wal")) {
		return nil // the data say who belongs to the cluster
	}
	v, err := newBootstrap(all, cfg.Name, o.Logger).wait(ctx, cfg.ListenPeerUrls[0].Host)
	if err != nil {
		return err
	}
	cfg.InitialCluster = v.members.initial()
	if v.state == existingCluster {
		cfg.ClusterState = embed.ClusterStateFlagExisting
	}
	return nil
}
