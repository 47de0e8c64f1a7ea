package node_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"weir/internal/bench"
	"weir/internal/bench/stamp"
	"weir/internal/ops/config"
	"weir/rtmp"
)

// gathers reports whether Nagle's algorithm is on at the other end of nc, which is this process's too.
func gathers(t *testing.T, nc net.Conn) bool {
	t.Helper()
	want := nc.LocalAddr().(*net.TCPAddr).AddrPort()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		fd, _ := strconv.Atoi(e.Name())
		peer, err := syscall.Getpeername(fd)
		if in, ok := peer.(*syscall.SockaddrInet4); err != nil || !ok || netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)) != want {
			continue
		}
		noDelay, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
		if err != nil {
			t.Fatal(err)
		}
		return noDelay == 0
	}
	t.Fatal("the node has no such connection")
	return false
}

// An application's play.low_latency has the kernel gather what comes while a viewer's network
// is busy, for the viewers of that application.
func TestLowLatencyOfAnApplicationReachesItsViewers(t *testing.T) {
	cfg := quickConfig("n")
	cfg.Apps = map[string]config.App{"talk": {Play: config.AppPlay{LowLatency: new(true)}}}
	cfg.Play.Wait = 10 * time.Second // the publisher may come later
	n := start(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for _, url := range []string{n.url("talk/a"), n.url("live/a")} {
		running.Go(func() {
			bench.Publish(ctx, bench.PublishOptions{URLs: []string{url},
				Shape: stamp.Shape{VideoBitrate: 200_000, FrameRate: 50, GOP: 200 * time.Millisecond, AudioRate: -1}})
		})
	}
	for app, low := range map[string]bool{"talk": true, "live": false} {
		nc, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: app}); err != nil {
			t.Fatal(err)
		}
		id, err := c.CreateStreamNow()
		if err != nil {
			t.Fatal(err)
		}
		c.Send(id, "play", "a")
		for media := 0; media < 20; {
			ev, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			if ev.Kind == rtmp.EventMedia {
				media++
			}
		}
		if gathers(t, nc) != low {
			t.Errorf("%s: Nagle's algorithm is on: %v", app, !low)
		}
	}
}
