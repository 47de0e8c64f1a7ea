package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// wsEcho is a WebSocket server that sends everything back.
func wsEcho(t *testing.T, name string, ended chan<- struct{}) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			return
		}
		defer func() { ended <- struct{}{} }()
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	})
}

func dialWS(t *testing.T, s *standing) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, res, err := websocket.Dial(ctx, "ws://"+s.addr+"/WebRTCAppEE/websocket?x=1", &websocket.DialOptions{Subprotocols: []string{"echo"}})
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || c.Subprotocol() != "echo" {
		t.Fatalf("status %d, subprotocol %q", res.StatusCode, c.Subprotocol())
	}
	return c
}

func TestWebSocketsPassThrough(t *testing.T) {
	ended := make(chan struct{}, 1)
	f := newFleet(wsEcho(t, "a", ended))
	s := stand(t, f, nil)
	c := dialWS(t, s)
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	big := make([]byte, 30_000)
	for _, text := range [][]byte{[]byte("offer"), []byte("answer"), big} {
		if err := c.Write(ctx, websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(ctx); err != nil || string(b) != string(text) {
			t.Fatalf("got %d bytes, %v", len(b), err)
		}
	}
	until(t, "it is counted", func() bool {
		requests, streams, _, out := s.Load()
		return requests == 1 && streams == 1 && out > 30_000 && f.in.Load() > 30_000
	})
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
	<-ended
	until(t, "nothing is open", func() bool {
		requests, streams, _, _ := s.Load()
		return requests+streams == 0 && read(f, func() bool { return f.open["a"] == 0 && f.given == 0 })
	})
}

func TestAnIdleWebSocketEnds(t *testing.T) {
	ended := make(chan struct{}, 1)
	s := stand(t, newFleet(wsEcho(t, "a", ended)), func(o *Options) { o.Tunnel = time.Second })
	c := dialWS(t, s)
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it goes on: %v", err)
	}
	await(t, "the server hears of it", ended)
}

func TestAnUpgradeThatIsRefusedIsAnAnswer(t *testing.T) {
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "not you", http.StatusForbidden) })
	s := stand(t, newFleet(srv), nil)
	if res, body := s.get(t, "/ws", "Connection", "Upgrade", "Upgrade", "websocket"); res.StatusCode != http.StatusForbidden || body != "not you" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

func TestClosingEndsUpgradedConnections(t *testing.T) {
	ended := make(chan struct{}, 1)
	s := stand(t, newFleet(wsEcho(t, "a", ended)), nil)
	c := dialWS(t, s)
	defer c.CloseNow()
	s.Front.Close()
	<-ended
	if _, _, err := c.Read(context.Background()); err == nil {
		t.Error("the client was left")
	}
}

// switches answers every request with 101, and tells when its client has gone.
func switches(t *testing.T, name, header string, gone chan<- struct{}) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		nc, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { gone <- struct{}{} }()
		defer nc.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\n%s\r\n", header)
		rw.Flush()
		rw.ReadByte()
	})
}

// A 101 that is refused leaves nothing at its server: neither its count, nor the reservation,
// nor a connection.
func TestAnUpgradeToSomethingElseLeavesNothing(t *testing.T) {
	const websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	for what, c := range map[string]struct {
		answer string
		ask    []string
	}{
		"another protocol": {websocket, []string{"Connection", "Upgrade", "Upgrade", "websocket, x"}},
		"not asked for":    {websocket, nil},
		"none named":       {"", []string{"Connection", "Upgrade", "Upgrade", "websocket"}},
		"unprintable":      {"Connection: Upgrade\r\nUpgrade: web\x80socket\r\n", []string{"Connection", "Upgrade", "Upgrade", "websocket"}},
	} {
		t.Run(what, func(t *testing.T) {
			const n = 50
			gone := make(chan struct{}, n)
			f := newFleet(switches(t, "a", c.answer, gone))
			s := stand(t, f, nil)
			before := descriptors(t)
			for range n {
				if res, _ := s.get(t, "/live/cam.flv", c.ask...); res.StatusCode != http.StatusBadGateway {
					t.Fatalf("status %d, want 502", res.StatusCode)
				}
			}
			for range n {
				await(t, "the server's connection has ended", gone)
			}
			until(t, "nothing is open", func() bool {
				requests, streams, _, _ := s.Load()
				return requests+streams == 0 && read(f, func() bool { return f.open["a"] == 0 && f.given == 0 })
			})
			until(t, "the descriptors are back", func() bool { return descriptors(t) <= before })
		})
	}
}

func TestAClientThatIsGoneBeforeTheUpgrade(t *testing.T) {
	gone := make(chan struct{}, 1)
	asked, answer := make(chan struct{}), make(chan struct{})
	f := newFleet(backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		nc, rw, _ := w.(http.Hijacker).Hijack()
		defer func() { gone <- struct{}{} }()
		defer nc.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		rw.Flush()
		rw.ReadByte()
	}))
	s := stand(t, f, nil)
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(nc, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	<-asked
	nc.Close()
	close(answer)
	await(t, "the server's connection has ended", gone)
	until(t, "nothing is open", func() bool {
		requests, streams, _, _ := s.Load()
		return requests+streams == 0 && read(f, func() bool { return f.open["a"] == 0 && f.given == 0 })
	})
}

// descriptors are this process's open ones.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
