package node

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/ops/config"
	"weir/rtmp"
)

// Players and publishers that knock at a node that is drained, and are refused, are no guests: it would be
// draining, and drained again, for each of them.
func TestWhoKnocksIsNoGuest(t *testing.T) {
	cfg := config.Default()
	cfg.Node.Name, cfg.Node.Advertise, cfg.Node.Roles = "n", "127.0.0.1", []config.Role{config.RoleOrigin, config.RoleEdge}
	cfg.RTMP.Listen, cfg.HTTP.Listen, cfg.Admin.Listen, cfg.Node.DrainTimeout = "127.0.0.1:0", "", "", 0
	n := &node{world: World{Listen: Listen, Dial: (&net.Dialer{}).DialContext}, cfg: cfg, log: slog.New(slog.DiscardHandler)}
	if err := n.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.accept(make(chan error, 8))
	defer n.stop()
	<-n.drain(0, false)
	addr := n.listeners.rtmp.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var clients sync.WaitGroup
	var refused atomic.Int64
	for i := range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := knock(addr, []string{"play", "publish"}[i%2]); err != nil {
					t.Error(err)
					return
				}
				refused.Add(1)
			}
		})
	}
	for ctx.Err() == nil {
		if all := (house{n, false}).guests(); len(all) > 0 {
			t.Errorf("%d guests after %d were refused: %v", len(all), refused.Load(), all[0].role())
			break
		}
	}
	cancel()
	clients.Wait()
	if refused.Load() == 0 {
		t.Error("nobody knocked")
	}
}

// knock says that somebody wants to play or publish, and waits for the end.
func knock(addr, word string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		return err
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://" + addr + "/live"}); err != nil {
		return err
	}
	id, err := c.CreateStreamNow()
	if err != nil {
		return err
	}
	if err := c.Send(id, word, "cam", "live"); err != nil {
		return err
	}
	for {
		if _, err := c.Next(); err != nil {
			return nil
		}
	}
}
