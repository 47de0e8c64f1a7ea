package demo

import (
	"context"
	"fmt"
	"net"
	"time"

	"weir/internal/demo/clip"
	"weir/rtmp"
)

// streamPath is what the demo publishes, as in rtmp://HOST/live/demo.
const (
	app        = "live"
	name       = "demo"
	streamPath = app + "/" + name
)

// publish sends the clip to addr as an encoder would, in real time, until ctx
// ends or the connection does.
func publish(ctx context.Context, addr, path string) error {
	player, err := clip.NewPlayer()
	if err != nil {
		return err
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	conn := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := conn.Handshake(); err != nil {
		return err
	}
	if _, err := conn.Connect(&rtmp.Connect{App: app, TCURL: "rtmp://" + addr + "/" + app, FlashVer: "FMLE/3.0 (compatible; weir demo)"}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		for {
			ev, err := conn.Next()
			if err != nil {
				ended <- err
				return
			}
			if ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
				ended <- fmt.Errorf("%s: %s", ev.Status.Code, ev.Status.Description)
				return
			}
		}
	}()
	id, err := conn.CreateStream(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Publish(ctx, id, name, "live"); err != nil {
		return err
	}
	began := time.Now()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		f := player.Next()
		pace.Reset(time.Until(began.Add(time.Duration(f.Timestamp) * time.Millisecond)))
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-pace.C:
		}
		typ := rtmp.MessageType(f.Type)
		m := rtmp.Message{Type: typ, ChunkStream: rtmp.DefaultChunkStream(typ), StreamID: id, Timestamp: uint32(f.Timestamp), Payload: f.Payload}
		if err := conn.WriteMessage(&m); err != nil {
			return err
		}
	}
}
