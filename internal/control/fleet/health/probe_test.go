package health

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/proctest"
	"weir/internal/testnet"
	"weir/rtmp"
)

func dial(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

// serve accepts connections at a free port until the test ends.
func serve(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go f(nc)
		}
	}()
	return ln.Addr().String()
}

// answer is a server that shakes hands.
func answer(nc net.Conn) {
	defer nc.Close()
	if _, err := rtmp.ServerHandshake(nc, rtmp.HandshakeOptions{}); err == nil {
		_, _ = io.Copy(io.Discard, nc)
	}
}

func TestProbe(t *testing.T) {
	deaf := serve(t, func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc); nc.Close() })
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/gone", http.StatusFound)
		case "/endless":
			for _, err := w.Write(make([]byte, 4096)); err == nil; _, err = w.Write(make([]byte, 4096)) {
			}
		}
	}))
	t.Cleanup(web.Close)
	webAddr := strings.TrimPrefix(web.URL, "http://")
	for _, tc := range []struct {
		name   string
		b      fleet.Backend
		status string
		code   int
		want   string // within the reason; "" if the check is good
	}{
		{"tcp", fleet.Backend{RTMP: deaf, Check: fleet.Check{Kind: fleet.CheckTCP}}, "L4OK", 0, ""},
		{"tcp, closed", fleet.Backend{RTMP: proctest.Addr(t), Check: fleet.Check{Kind: fleet.CheckTCP}}, "L4CON", 0, "connection refused, nothing listens there"},
		{"unknown host", fleet.Backend{RTMP: "nosuch.invalid:1935", Check: fleet.Check{Kind: fleet.CheckTCP}}, "L4CON", 0, "nosuch.invalid"},
		{"rtmp", fleet.Backend{RTMP: serve(t, answer)}, "L7OK", 0, ""},
		{"rtmp, closing", fleet.Backend{RTMP: serve(t, func(nc net.Conn) { io.CopyN(io.Discard, nc, 1537); nc.Close() })}, "L7RSP", 0, "closes connections in the RTMP handshake"},
		{"rtmp, a web server", fleet.Backend{RTMP: webAddr}, "L7RSP", 0, "does not speak RTMP"},
		{"a web server alone", fleet.Backend{HTTP: webAddr}, "L4OK", 0, ""},
		{"http", fleet.Backend{HTTP: webAddr, Check: fleet.Check{Kind: fleet.CheckHTTP}}, "L7OK", 200, ""},
		{"http, redirect", fleet.Backend{Check: fleet.Check{Kind: fleet.CheckHTTP, URL: web.URL + "/moved"}}, "L7OK", 302, ""},
		{"http, status", fleet.Backend{Check: fleet.Check{Kind: fleet.CheckHTTP, URL: web.URL + "/gone?token=s3cret"}}, "L7STS", 503, webAddr + "/gone: answers with status 503"},
		{"http, endless", fleet.Backend{Check: fleet.Check{Kind: fleet.CheckHTTP, URL: web.URL + "/endless"}}, "L7OK", 200, ""},
		{"http, closed", fleet.Backend{Check: fleet.Check{Kind: fleet.CheckHTTP, URL: "http://user:s3cret@" + proctest.Addr(t) + "/"}}, "L4CON", 0, "connection refused"},
		{"http, rtmp server", fleet.Backend{Check: fleet.Check{Kind: fleet.CheckHTTP, URL: "http://" + serve(t, answer) + "/"}}, "L7RSP", 0, "no HTTP answer"},
	} {
		tc.b.Check.Timeout = time.Minute
		code, f := probe(t.Context(), dial, &tc.b, rtmp.HandshakeOptions{})
		status, why := good(&tc.b), ""
		if f != nil {
			status, why = f.Status, f.Reason
		}
		if (f == nil) != (tc.want == "") || status != tc.status || code != tc.code || !strings.Contains(why, tc.want) || strings.Contains(why, "s3cret") {
			t.Errorf("%s: %s %d %q, want %s %d %q", tc.name, status, code, why, tc.status, tc.code, tc.want)
		}
	}
}

// Who accepts connections and does not answer in time is told from who does not accept them.
func TestProbeOfServersThatDoNotAnswer(t *testing.T) {
	for _, tc := range []struct {
		name string
		does func(net.Conn)
		kind fleet.CheckKind
		want string // within the reason
	}{
		{"rtmp, frozen", func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) }, "", "accepts connections, but no RTMP handshake within 100ms: frozen or overloaded"},
		{"rtmp, dripping", func(nc net.Conn) {
			for _, err := nc.Write([]byte{3}); err == nil; _, err = nc.Write([]byte{0}) {
				time.Sleep(10 * time.Millisecond)
			}
		}, "", "no RTMP handshake within 100ms"},
		{"http, frozen", func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) }, fleet.CheckHTTP, "accepts connections, but no HTTP answer within 100ms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const at = "10.0.0.1:1935"
				var n testnet.Network
				ln, err := n.Listen(at)
				if err != nil {
					t.Fatal(err)
				}
				var serving sync.WaitGroup
				defer serving.Wait()
				defer ln.Close()
				serving.Go(func() {
					if nc, err := ln.Accept(); err == nil {
						tc.does(nc)
						nc.Close()
					}
				})
				b := fleet.Backend{RTMP: at, HTTP: at, Check: fleet.Check{Kind: tc.kind, Timeout: 100 * time.Millisecond}}
				if _, f := probe(t.Context(), n.Dial, &b, rtmp.HandshakeOptions{}); f == nil || f.Status != "L7TOUT" || !strings.Contains(f.Reason, tc.want) {
					t.Errorf("%+v, want %q", f, tc.want)
				}
			})
		})
	}
}

func TestAServerThatExpectsAnAnnouncementGetsOne(t *testing.T) {
	for a, want := range map[fleet.Announce]string{
		fleet.AnnounceNot:     "",
		fleet.AnnounceProxyV1: "PROXY UNKNOWN\r\n",
		fleet.AnnounceProxyV2: "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
		fleet.AnnounceSRS:     "\xf3\x00\x04\x7f\x00\x00\x01",
	} {
		said := make(chan []byte, 1)
		addr := serve(t, func(nc net.Conn) {
			hello := make([]byte, len(want))
			_, _ = io.ReadFull(nc, hello)
			said <- hello
			answer(nc)
		})
		if _, f := probe(t.Context(), dial, &fleet.Backend{RTMP: addr, Announce: a}, rtmp.HandshakeOptions{}); f != nil {
			t.Errorf("%q: %v", a, f)
		}
		if got := <-said; !bytes.Equal(got, []byte(want)) {
			t.Errorf("%q: said %q, want %q", a, got, want)
		}
	}
}

// The transport dials in a goroutine of its own, which its request does not wait for: it has
// to end with the check all the same, or a host that is gone would collect sockets.
func TestAnHTTPChecksDialEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		slow := func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			ended = true
			return nil, ctx.Err()
		}
		b := fleet.Backend{HTTP: "10.0.0.1:80", Check: fleet.Check{Kind: fleet.CheckHTTP, Timeout: 100 * time.Millisecond}}
		if _, f := probe(t.Context(), slow, &b, rtmp.HandshakeOptions{}); f == nil || f.Status != connectTimeout {
			t.Fatalf("%+v", f)
		}
		if synctest.Wait(); !ended {
			t.Error("it goes on dialling")
		}
	})
}
