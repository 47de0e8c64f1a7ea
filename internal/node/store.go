package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/config"
)

func (n *node) openStore(ctx context.Context) (store.Store, error) {
	if n.world.Store != nil {
		return n.world.Store(ctx)
	}
	return openStore(ctx, &n.cfg, n.log)
}

// openStore opens the configured store. An embedded one logs the address that
// other nodes give as their endpoint.
func openStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (store.Store, error) {
	c := &cfg.Store
	switch c.Kind {
	case config.StoreEmbedded:
		for _, l := range []struct{ key, addr string }{{"store.listen", c.Listen}, {"store.peers", cfg.PeersListen()}} {
			if err := free(l.addr); err != nil {
				return nil, fmt.Errorf("%s: %w", l.key, err)
			}
		}
		s, err := store.StartEmbedded(ctx, store.EmbeddedOptions{
			Name: cfg.Node.Name, Dir: c.Dir, Listen: c.Listen, Peers: c.Peers, PeersListen: cfg.PeersListen(), Logger: log})
		if err != nil {
			return nil, fmt.Errorf("embedded store: %w", err)
		}
		log.Info("listening", "what", "store", "addr", s.Addr())
		return s, nil
	case config.StoreEtcd:
		tlsConfig, err := storeTLS(c.TLS)
		if err != nil {
			return nil, err
		}
		s, err := store.NewEtcd(store.EtcdOptions{Endpoints: c.Endpoints, TLS: tlsConfig, Username: c.User, Password: c.Password.Reveal(), Logger: log})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	return store.NewMemory(), nil
}

// free tries to listen on addr, for the error: etcd's own does not say who has it.
func free(addr string) error {
	if addr == "" {
		return nil
	}
	l, err := Listen("tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// highest keeps the highest incarnation seen beside the store's data, where a
// node has such a place.
func highest(cfg *config.Config) cluster.Highest {
	if cfg.Store.Kind != config.StoreEmbedded || cfg.Store.Dir == "" {
		return nil
	}
	return cluster.HighestFile(filepath.Join(cfg.Store.Dir, "incarnation"))
}

// storeTLS is nil when the store is reached in clear.
func storeTLS(c config.StoreTLS) (*tls.Config, error) {
	if c == (config.StoreTLS{}) {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("store.tls.ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("store.tls.ca: no certificate in %s", c.CA)
		}
	}
	if c.Cert != "" {
		cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("store.tls.cert: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}
