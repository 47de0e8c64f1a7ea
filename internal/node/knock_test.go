package node

import (
	"log/slog"
	"net"
	"sync"
	"testing"

	"weir/internal/ops/config"
	"weir/rtmp"
)

// Players and publishers that a drained node refuses are none of its sessions: it would be draining, and drained
// again, for each of them.
func TestARefusedSessionIsNothingToDrain(t *testing.T) {
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
	const clients, knocks = 4, 200
	var knocking sync.WaitGroup
	for i := range clients {
		knocking.Go(func() {
			for range knocks {
				if err := knock(addr, []string{"play", "publish"}[i%2]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	over := make(chan struct{})
	go func() {
		knocking.Wait()
		close(over)
	}()
	for seen := false; ; {
		if all := (remaining{n, false}).sessions(); len(all) > 0 && !seen {
			seen = true
			t.Errorf("%d to be moved, of those who are refused: %v", len(all), all[0].role())
		}
		select {
		case <-over:
			return
		default:
		}
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
