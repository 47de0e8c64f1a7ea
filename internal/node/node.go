package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/control/orders"
	"weir/internal/control/store"
	"weir/internal/front"
	"weir/internal/front/web"
	"weir/internal/media/ingest"
	"weir/internal/media/live"
	"weir/internal/media/play"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/admin"
	"weir/internal/ops/agent"
	"weir/internal/ops/config"
	"weir/internal/ops/event"
)

// stopTimeout is how long sessions have to end in good order.
const stopTimeout = 5 * time.Second

// node is all parts of one process.
type node struct {
	world   World
	cfg     config.Config
	log     *slog.Logger
	lines   *event.Log
	emit    event.Sink
	metrics *prometheus.Registry

	store     store.Store
	cluster   *cluster.Cluster
	hub       *live.Hub // what this node owns or pulls
	transit   *live.Hub // what its front carries
	ingest    *ingest.Service
	peers     *relay.Peers
	pulls     *relay.Pulls
	play      *play.Service
	backends  *fleet.Backends
	orders    *orders.Book
	watched   backendParts
	fleet     atomic.Pointer[fleet.Fleet] // the placer's, once there is one
	placer    placer
	front     *front.Front
	web       *web.Front
	certs     certificates
	sessions  *session.Server
	load      loadMeter
	pulling   atomic.Int64 // streams that come from another node now
	viewers   viewerCache
	addresses addressBook
	drops     drops
	drainer   drainer
	marks     marks
	readiness readiness

	listeners listeners
	serving   sync.WaitGroup

	stopWatching context.CancelFunc
}

func (n *node) run(ctx context.Context) error {
	if err := n.start(ctx); err != nil {
		n.stop()
		if ctx.Err() != nil {
			n.log.Info("stopped") // told to while it waited, for a store or a name
			return nil
		}
		return err
	}
	failed := make(chan error, 8)
	n.accept(failed)
	n.log.Info("ready")
	var err error
	select {
	case <-ctx.Done():
		n.log.Info("stopping")
		n.leave()
	case err = <-failed:
	}
	n.stop()
	n.log.Info("stopped")
	return err
}

// gcPercent is how much garbage may gather over what lives. Why not the runtime's
// 100: media allocates nothing, so collections are rare, while every viewer's
// share of the heap counts twice. Why not less: a wave of joins would pay.
const gcPercent = 50

// setGC sets the collector unless the operator has.
func setGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

func (n *node) start(ctx context.Context) (err error) {
	n.metrics = prometheus.NewRegistry()
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count, err := event.NewMetrics(n.metrics, n.cfg.Node.Name)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	n.lines = event.NewLog(n.log)
	n.emit = event.Tee(n.lines.Sink, count, n.world.Emit)
	if n.listeners, err = listen(&n.cfg, n.world.Listen, n.log); err != nil {
		return err
	}
	if err = n.loadCertificates(); err != nil {
		return err
	}
	if n.store, err = n.openStore(ctx); err != nil {
		return err
	}
	if err := n.join(ctx); err != nil {
		return err
	}
	n.backends = fleet.NewBackends(fleet.BackendOptions{Node: func(name string) bool {
		_, ok := n.cluster.Node(name)
		return ok
	}})
	if n.placer, err = newPlacer(n.cluster, placement(&n.cfg, n.backends)); err != nil {
		return err
	}
	n.fleet.Store(n.placer.f)
	n.orders = orders.New(n.store, n.backends, n.cluster.Issued)
	if err := n.orders.List(ctx); err != nil {
		n.log.Warn("what was ordered of backends is not known until the store answers", "err", err)
	}
	n.metrics.MustRegister(newBackendMetrics(n))
	n.build()
	return n.startBackends()
}

// accept serves all listeners and starts the reports.
func (n *node) accept(failed chan<- error) {
	serve := func(what string, f func() error) {
		n.serving.Go(func() {
			if err := f(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
				select {
				case failed <- fmt.Errorf("%s listener: %w", what, err):
				default:
				}
			}
		})
	}
	l := &n.listeners
	serve("rtmp", func() error { return n.sessions.Serve(l.rtmp, nil) })
	if l.rtmps != nil {
		serve("rtmps", func() error { return n.sessions.Serve(l.rtmps, n.certs.rtmpTLS()) })
	}
	n.web = n.newWeb()
	n.metrics.MustRegister(newNodeMetrics(n)) // now that all that it asks are there
	o, faults := n.webListening(), httpLog(n.emit)
	if l.http != nil {
		l.httpServer = web.NewServer(n.webHandler(false), faults)
		serve("http", func() error { return l.httpServer.Serve(web.Listen(l.http, o)) })
	}
	if l.https != nil {
		l.httpsServer = web.NewServer(n.webHandler(true), faults)
		l.httpsServer.TLSConfig = n.certs.httpTLS()
		serve("https", func() error { return l.httpsServer.ServeTLS(web.Listen(l.https, o), "", "") })
	}
	var watching context.Context
	watching, n.stopWatching = context.WithCancel(context.Background())
	n.certs.watch(watching, n.serving.Go)
	if l.admin != nil {
		l.adminServer = httpServer(admin.Handler(admin.Options{
			Fleet: (*adminView)(n), Backends: (*adminView)(n), Sessions: (*adminView)(n), Frontends: n.frontends,
			Metrics: n.metrics, Token: n.cfg.Admin.Token, Version: Version()}), faults)
		serve("admin", func() error { return l.adminServer.Serve(l.admin) })
	}
	if l.agent != nil {
		serve("agent", func() error { return agent.Serve(l.agent, n.agentStatus) })
	}
	n.serving.Go(n.evacuations)
	n.serving.Go(func() { n.orders.Run(watching) })
	n.load.start(n)
}

// stop ends what has been started, newest first.
func (n *node) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	n.drainer.close()
	n.listeners.close()
	n.load.stop()
	n.watched.stop()
	if n.sessions != nil {
		if err := n.sessions.Close(ctx); err != nil {
			n.log.Warn("sessions did not end in time", "err", err)
		}
		n.front.Close()
		n.pulls.Close()
		n.peers.Close()
		n.hub.Close()
		n.transit.Close()
	}
	if n.web != nil {
		n.web.Close()
		n.stopWatching()
	}
	n.certs.close()
	n.listeners.shutdown(ctx)
	n.serving.Wait()
	if n.cluster != nil {
		if err := n.cluster.Close(); err != nil {
			n.log.Warn("leaving the cluster", "err", err)
		}
	}
	if n.store != nil {
		n.store.Close()
	}
	if n.lines != nil {
		n.lines.Close()
	}
}
