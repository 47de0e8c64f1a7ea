package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/testnet"
)

// passes has a Front with limits pass on what a server sends on a network in memory, where time is the bubble's: say sends,
// and body is what comes.
func passes(t *testing.T, limits Options, then func(t *testing.T, say func(string), body io.Reader)) {
	synctest.Test(t, func(t *testing.T) {
		const server, front = "10.0.0.1:80", "10.0.0.2:80"
		var n testnet.Network
		dial := func(ctx context.Context, _, addr string) (net.Conn, error) { return n.Dial(ctx, addr) }
		serve := func(addr string, s *http.Server) func() {
			l, err := n.Listen(addr)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			return func() { s.Close(); <-ended }
		}
		texts := make(chan string, 1)
		defer serve(server, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := http.NewResponseController(w)
			for out.Flush() == nil {
				select {
				case text := <-texts:
					io.WriteString(w, text)
				case <-r.Context().Done():
					return
				}
			}
		})})()
		limits.Node, limits.Servers, limits.Dial, limits.Emit = "front1", newFleet(Server{Name: "a", Addr: server}), dial, new(events).add
		f := New(limits)
		defer f.Close()
		defer serve(front, NewServer(f, quiet))()
		transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
		res, err := (&http.Client{Transport: transport}).Get("http://" + front + "/live/x.flv")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		then(t, func(text string) { texts <- text }, res.Body)
	})
}

// The limit on what a client does not take is on each write, not on the stream.
func TestAViewerThatReadsOutlastsTheStallLimit(t *testing.T) {
	const stall = 2 * time.Second
	passes(t, Options{Stall: stall, Silence: time.Minute}, func(t *testing.T, say func(string), body io.Reader) {
		b := make([]byte, 4)
		for range 10 {
			say("some")
			if _, err := io.ReadFull(body, b); err != nil {
				t.Fatal(err)
			}
			time.Sleep(stall / 2)
		}
	})
}

func TestASilentServerEndsItsRequest(t *testing.T) {
	const silence = 2 * time.Second
	passes(t, Options{Stall: time.Minute, Silence: silence}, func(t *testing.T, say func(string), body io.Reader) {
		b := make([]byte, 4)
		for range 10 {
			say("some")
			if _, err := io.ReadFull(body, b); err != nil {
				t.Fatal(err)
			}
			time.Sleep(silence / 2)
		}
		if _, err := io.ReadAll(body); err == nil {
			t.Error("the silence went on")
		}
	})
}
