package web

import (
	"context"
	"net/http"
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	began := time.Now()
	for time.Since(began) < 1300*time.Millisecond { // longer than the limit, but not idle
		if err := c.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(ctx); err != nil {
			t.Fatal(err)
		}
	}
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
