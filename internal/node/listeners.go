package node

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/ops/config"
)

// listeners are the node's sockets.
type listeners struct {
	rtmp, rtmps, http, https, admin      net.Listener
	agent                                net.Listener // for HAProxy's agent checks
	httpServer, httpsServer, adminServer *http.Server
}

// listen binds everything that the configuration names.
func listen(cfg *config.Config, listen func(network, addr string) (net.Listener, error), log *slog.Logger) (l listeners, err error) {
	bind := func(to *net.Listener, what, addr string) {
		if err != nil || addr == "" {
			return
		}
		if *to, err = listen("tcp", addr); err != nil {
			err = fmt.Errorf("%s listener: %w", what, err)
			return
		}
		log.Info("listening", "what", what, "addr", (*to).Addr().String())
	}
	bind(&l.rtmp, "rtmp", cfg.RTMP.Listen)
	bind(&l.rtmps, "rtmps", cfg.RTMP.TLS.Listen)
	bind(&l.http, "http", cfg.HTTP.Listen)
	bind(&l.https, "https", cfg.HTTP.TLS.Listen)
	bind(&l.admin, "admin", cfg.Admin.Listen)
	bind(&l.agent, "agent", cfg.Admin.Agent)
	return l, err
}

// close stops accepting RTMP; HTTP ends in shutdown, so that the admin listener
// answers until the sessions are gone.
func (l *listeners) close() {
	for _, ln := range []net.Listener{l.rtmp, l.rtmps} {
		if ln != nil {
			ln.Close()
		}
	}
}

func (l *listeners) shutdown(ctx context.Context) {
	for _, s := range []*http.Server{l.httpServer, l.httpsServer, l.adminServer} {
		if s != nil {
			if s.Shutdown(ctx) != nil {
				s.Close()
			}
		}
	}
	for _, ln := range []net.Listener{l.http, l.https, l.admin, l.agent} {
		if ln != nil {
			ln.Close()
		}
	}
}

// advertised is where others reach this node: the port it listens on, at host,
// or at the address it listens on, or at the one that its default route leaves
// from.
func (l *listeners) advertised(host, public string) cluster.Addresses {
	at := func(ln net.Listener) string {
		if ln == nil {
			return ""
		}
		a := ln.Addr().(*net.TCPAddr)
		h := host
		if h == "" && !a.IP.IsUnspecified() {
			h = a.IP.String()
		}
		if h == "" {
			h = outwardAddress()
		}
		return net.JoinHostPort(h, strconv.Itoa(a.Port))
	}
	return cluster.Addresses{RTMP: at(l.rtmp), HTTP: at(l.http), Admin: at(l.admin), Public: l.public(public)}
}

// public is where clients reach this node by RTMP: as configured, with the listener's port if that has none.
func (l *listeners) public(addr string) string {
	if _, _, err := net.SplitHostPort(addr); addr == "" || err == nil {
		return addr
	}
	_, port := hostPortOf(l.rtmp)
	return net.JoinHostPort(addr, strconv.Itoa(port))
}

// outwardAddress is the address that the default route leaves from. Nothing is
// sent: connecting a datagram socket only chooses the route.
func outwardAddress() string {
	c, err := net.Dial("udp", "192.0.2.1:9")
	if err != nil {
		return "127.0.0.1"
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).IP.String()
}

// httpServer has the timeouts that an HTTP server on a public address needs. A
// stream is written for as long as it is watched, so there is no write timeout
// here; who writes sets one per write.
func httpServer(h http.Handler, faults *log.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: faults}
}
