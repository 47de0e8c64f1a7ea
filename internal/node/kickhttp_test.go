package node_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/control/store"
	"weir/internal/ops/admin"
	"weir/internal/ops/config"
)

// endless is a server whose streams and upgraded connections last until somebody ends them.
func endless(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			nc, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer nc.Close()
			io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
			io.Copy(nc, nc)
			return
		}
		for r.Context().Err() == nil {
			w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			if strings.Contains(r.URL.Path, "flood") {
				continue
			}
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// request is a connection with a request on it, and the header of an answer.
func request(t *testing.T, addr, path, header string) (net.Conn, *bufio.Reader) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, header)
	r := bufio.NewReader(nc)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return nc, r
		}
	}
}

// An operator ends viewers over HTTP as those over RTMP: those of a node, and those that a front passes to servers.
func TestKickOverHTTP(t *testing.T) {
	own := quickConfig("own")
	own.Admin.Listen, own.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	own.Limits.FirstMedia, own.Limits.PublisherSilence, own.Limits.WriteStall = time.Minute, time.Minute, time.Minute
	n := start(t, own)
	publish(t, n.addr, "live/cam", stamp.Shape{})

	m := store.NewMemory()
	defer m.Close()
	behind := endless(t)
	f := startWeb(t, m, func(c *config.Config) {
		c.Limits.WriteStall = time.Minute
		c.Front.Backends.Servers = []config.Server{{Name: "b1", HTTP: behind, BackendSettings: config.BackendSettings{Check: config.CheckSettings{Kind: new(config.CheckNone)}}}}
	})
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	for _, c := range []struct {
		at                                 *running
		node, path, header                 string
		protocol, how, server, app, stream string
		reads                              bool
	}{
		{n, "own", "/live/cam.flv", "", "http-flv", "served", "", "live", "cam", true},
		{f, "front", "/live/x.flv", "", "http-flv", "passed", "b1", "live", "x", true},
		{f, "front", "/live/flood.flv", "", "http-flv", "passed", "b1", "live", "flood", false}, // takes no bytes
		{f, "front", "/live/x/ws", upgrade, "websocket", "passed", "b1", "live/x", "ws", true},
	} {
		t.Run(fmt.Sprint(c.protocol, " ", c.how, " ", c.reads), func(t *testing.T) {
			nc, r := request(t, c.at.listening("http"), c.path, c.header)
			if c.header != "" {
				io.WriteString(nc, "hello")
			}
			if c.reads {
				if _, err := io.ReadFull(r, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
			}
			var s admin.Session
			var sent int64 // at the last look
			still := 0     // looks at which nothing more was
			if !eventually(patience, func() bool {
				list, _, err := c.at.api().Sessions(t.Context(), c.node)
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range list.Sessions {
					if one.Remote == nc.LocalAddr().String() {
						s = one
					}
				}
				if still++; s.BytesOut != sent {
					still = 0
				}
				sent = s.BytesOut
				return sent >= 5 && (c.reads || still > 20)
			}) {
				t.Fatalf("not listed: %+v", s)
			}
			if s.ID != admin.SessionID(c.node, s.Conn) || s.Conn == 0 || s.Protocol != c.protocol || s.How != c.how || s.Backend != c.server || s.Role != "viewer" ||
				s.App != c.app || s.Stream != c.stream || time.Since(s.Since) > time.Minute {
				t.Errorf("%+v", s)
			}
			if _, err := c.at.api().Kick(t.Context(), s.ID); err != nil {
				t.Fatal(err)
			}
			closing := func(l line) bool {
				return (l.msg == "session closed" || l.msg == "request passed") && l.attrs["conn"] == fmt.Sprint(s.Conn)
			}
			if l, ok := c.at.log.wait(patience, closing); !ok || l.attrs["reason"] != "kicked" {
				t.Errorf("the closing line: %+v", l)
			}
			if _, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it goes on")
			}
			if _, err := c.at.api().Kick(t.Context(), s.ID); err == nil {
				t.Error("a session that is over was ended once more")
			}
		})
	}
}
