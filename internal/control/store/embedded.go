package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
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

	// Peers are all members, this one included, NAME=HOST:PORT each: where the others reach it. None: a lone one.
	Peers []string
	// PeersListen is host:port for the other members, host an IP address; this member's address among Peers if empty.
	PeersListen string

	Timeout time.Duration // of one call, DefaultTimeout if 0
	Logger  *slog.Logger  // discards if nil; hears etcd's warnings
}

// startTimeout bounds etcd's own start, until it answers; a member without data waits before that, for the
// others for as long as its context lasts. Why not smaller: the others may be started by hand, one after
// another. Why not larger: whoever has started it waits for a node that takes nobody in.
const startTimeout = 30 * time.Second

// Embedded is a store with an etcd member of its own. Its calls go through a
// client over loopback, the same code as for an external cluster.
type Embedded struct {
	*Etcd
	server  *embed.Etcd
	keeper  *keeper                // takes other members in again; nil of a lone one
	stopped func() <-chan struct{} // stops the server; the channel is closed when that is done
	addr    string
	tmp     string      // directory to remove
	mute    atomic.Bool // closing: etcd warns of every listener that it closes itself
}

// StartEmbedded starts the member and waits until it answers.
func StartEmbedded(ctx context.Context, o EmbeddedOptions) (*Embedded, error) {
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
	failed := newFailure(o.Logger, o.Dir)
	cfg, err := o.config(s.tmp, failed.logger(zapToSlog(o.Logger, &s.mute)))
	if err != nil {
		return nil, errors.Join(err, s.removeTemp())
	}
	all, err := parseMembers(o.Peers)
	if err == nil {
		err = o.setInitialCluster(ctx, cfg, all)
	}
	if err == nil {
		s.server, err = start(cfg, failed)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: embedded etcd: %w", err), s.removeTemp())
	}
	s.stopped = sync.OnceValue(func() <-chan struct{} {
		s.mute.Store(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.server.Close()
		}()
		return done
	})
	if len(all) > 0 {
		if err := otherCluster(s.server.Server.Cluster().Members(), all, o.Dir); err != nil {
			failed.wait(s.stopped())
			return nil, errors.Join(fmt.Errorf("store: embedded etcd: %w", err), s.removeTemp())
		}
		s.keeper = keep(s.server.Server, cfg.Name, all, o.Logger)
	}
	select {
	case <-s.server.Server.ReadyNotify():
	case err = <-s.server.Err():
		select {
		case <-s.server.Server.StoppingNotify():
			err = replaced(o.Dir)
		default:
		}
	case <-failed.done:
		err = failed.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(startTimeout):
		err = &UnavailableError{Op: "start", Endpoints: []string{cfg.ListenClientUrls[0].Host},
			Hint: "a member is ready when more than half of all members are up; these are " + cfg.InitialCluster}
	}
	if err != nil {
		s.keeper.stop()
		failed.wait(s.stopped())
		return nil, errors.Join(fmt.Errorf("store: embedded etcd: %w", err), s.removeTemp())
	}
	s.addr = s.server.Clients[0].Addr().String()
	s.Etcd, err = NewEtcd(EtcdOptions{Endpoints: []string{loopback(s.addr)}, Timeout: o.Timeout, Logger: o.Logger})
	if err != nil {
		s.keeper.stop()
		failed.wait(s.stopped())
		return nil, errors.Join(err, s.removeTemp())
	}
	s.Etcd.failure = failed
	go s.attend()
	return s, nil
}

// start starts etcd in a goroutine of its own, which is lost should it fail.
func start(cfg *embed.Config, failed *failure) (*embed.Etcd, error) {
	type result struct {
		server *embed.Etcd
		err    error
	}
	started := make(chan result, 1)
	go func() {
		server, err := embed.StartEtcd(cfg)
		started <- result{server, err}
	}()
	select {
	case r := <-started:
		return r.server, r.err
	case <-failed.done:
		return nil, failed.err
	}
}

// attend stops a member that has failed: what is left of it would keep others waiting, or lead them.
func (s *Embedded) attend() {
	select {
	case <-s.server.Server.StopNotify():
		select {
		case <-s.done: // by Close
		default:
			s.failure.fail(replaced(s.failure.dir))
		}
	case <-s.failure.done:
		s.keeper.stop()
		s.stopped()
	case <-s.done:
	}
}

// replaced is why etcd stops by itself: the others have told it that it is not of their cluster any more.
func replaced(dir string) error {
	return fmt.Errorf("the cluster has replaced this member, and its data in %s are of no use: move that directory away and start again", dir)
}

// Addr is the client address as bound: what other nodes name as their endpoint.
func (s *Embedded) Addr() string { return s.addr }

// Close stops the client and the member.
func (s *Embedded) Close() error {
	s.mute.Store(true)
	err := s.Etcd.Close()
	s.keeper.stop()
	s.failure.wait(s.stopped())
	return errors.Join(err, s.removeTemp())
}

func (s *Embedded) removeTemp() error {
	if s.tmp == "" {
		return nil
	}
	return os.RemoveAll(s.tmp)
}
