package web

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An upgraded connection goes on for as long as bytes pass, in either direction, and ends when none has for the limit.
func TestATunnelEndsWhenNothingPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const idle = time.Second
		p := &passing{all: new(atomic.Int64)}
		p.response = &response{p: p}
		p.ctx, p.expire = context.WithCancelCause(t.Context())
		tunnel := newTunnel(idle, p)
		client, front := net.Pipe()
		server, back := net.Pipe()
		toServer, toClient := tunnel.server(back), tunnel.client(front)
		defer toClient.Close()
		pass := func(write, read func([]byte) (int, error)) {
			t.Helper()
			go write([]byte("x"))
			if _, err := read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			time.Sleep(idle - time.Millisecond)
			pass(client.Write, toClient.Read)
			time.Sleep(idle - time.Millisecond)
			pass(server.Write, toServer.Read)
		}
		if n := p.all.Load(); n != 5 {
			t.Errorf("of 5 bytes %d count while it lasts", n)
		}
		time.Sleep(idle - time.Millisecond)
		synctest.Wait()
		if err := p.ctx.Err(); err != nil {
			t.Fatal("it has ended, although something passed within the limit:", context.Cause(p.ctx))
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if why := context.Cause(p.ctx); !errors.Is(why, errIdle) {
			t.Fatal("nothing passes, and it goes on:", why)
		}
		for end, nc := range map[string]net.Conn{"client": client, "server": server} {
			if _, err := nc.Read(make([]byte, 1)); err == nil {
				t.Errorf("the %s's connection goes on", end)
			}
		}
	})
}
