package session_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/proxyproto"
	"weir/rtmp"
)

// told is a handler that refuses everybody and says who it was.
type told chan session.Client

func (h told) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	h <- p.Client
	return nil, errors.New("no")
}

func (h told) Play(context.Context, *session.Play) (session.Player, error) {
	return nil, errors.New("no")
}

func (h told) Query(context.Context, string, string) (string, error) { return "", nil }

// behindProxy is a server that takes loopback for a proxy, or nobody; it waits so long for a header and a handshake.
func behindProxy(t *testing.T, trusted bool, tlsConfig *tls.Config, wait time.Duration) (addr string, who told, rec *event.Recorder, s *session.Server) {
	t.Helper()
	who, rec = make(told, 8), &event.Recorder{}
	o := session.Options{Node: "n", Secret: func() []byte { return []byte("x") }, Handler: who, Emit: rec.Sink,
		Wire: rtmp.Limits{Handshake: -1}, Handshake: wait, Command: time.Minute, ConnectionsPerAddr: 2}
	if trusted {
		o.Proxy = func(a netip.Addr) bool { return a.IsLoopback() }
	}
	s = session.NewServer(o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln, tlsConfig) }()
	t.Cleanup(func() {
		ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String(), who, rec, s
}

// through dials and sends a header first.
func through(t *testing.T, addr string, header []byte) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if _, err := nc.Write(header); err != nil {
		t.Fatal(err)
	}
	return nc
}

// publish publishes as far as the answer.
func publish(t *testing.T, nc net.Conn) {
	t.Helper()
	c := rtmp.NewClientConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://h/live"}); err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	c.Send(id, "publish", "alice", "live")
}

// ends waits until the server has closed the connection.
func ends(t *testing.T, nc net.Conn) {
	t.Helper()
	nc.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}

func TestProxyHeaderNamesTheClient(t *testing.T) {
	src, dst := netip.MustParseAddrPort("192.0.2.7:40001"), netip.MustParseAddrPort("198.51.100.1:1935")
	for name, c := range map[string]struct {
		header []byte
		remote string
		local  netip.AddrPort
	}{
		"v1":    {proxyproto.AppendV1(nil, src, dst), "192.0.2.7:40001", dst},
		"v2":    {proxyproto.AppendV2(nil, src, dst), "192.0.2.7:40001", dst},
		"local": {proxyproto.AppendV2(nil, netip.AddrPort{}, dst), "", netip.AddrPort{}},
	} {
		t.Run(name, func(t *testing.T) {
			addr, who, rec, _ := behindProxy(t, true, nil, time.Minute)
			nc := through(t, addr, c.header)
			publish(t, nc)
			got := <-who
			if c.remote == "" {
				c.remote, c.local = nc.LocalAddr().String(), netip.MustParseAddrPort(addr)
			}
			if got.Remote != c.remote || got.Facts.Addr != c.remote || got.Local != c.local {
				t.Errorf("%q %q %v", got.Remote, got.Facts.Addr, got.Local)
			}
			if o := event.Of[event.SessionOpened](rec); len(o) != 1 || o[0].Remote != c.remote {
				t.Errorf("opened: %+v", o)
			}
		})
	}
}

func TestProxyHeaderThatIsNone(t *testing.T) {
	addr, _, rec, _ := behindProxy(t, true, nil, 500*time.Millisecond)
	for i, bad := range []string{"\x03" + string(make([]byte, 1536)), "PROXY TCP4 nonsense\r\n", "PROXY TCP4 192", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff"} {
		nc := through(t, addr, []byte(bad))
		ends(t, nc)
		if _, err := event.WaitFor(t.Context(), rec, func(event.Refused) bool { return len(event.Of[event.Refused](rec)) > i }); err != nil {
			t.Fatal(err)
		}
		refused := event.Of[event.Refused](rec)
		if len(refused) != i+1 || refused[i].Reason != event.BadProxyHeader || refused[i].Err == nil {
			t.Errorf("%q: %+v", bad, refused)
		}
	}
	// Nobody who only looks whether the port is open is worth a line.
	through(t, addr, nil).Close()
	if n := len(event.Of[event.SessionOpened](rec)); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestProxyHeaderOfAStranger(t *testing.T) {
	header := proxyproto.AppendV1(nil, netip.MustParseAddrPort("192.0.2.7:1"), netip.MustParseAddrPort("192.0.2.8:2"))
	for name, config := range map[string]*tls.Config{"rtmp": nil, "rtmps": {Certificates: []tls.Certificate{{}}}} {
		t.Run(name, func(t *testing.T) {
			addr, _, rec, _ := behindProxy(t, false, config, time.Minute)
			ends(t, through(t, addr, header))
			e, err := event.WaitFor(t.Context(), rec, func(event.SessionClosed) bool { return true })
			if err != nil || e.Reason != event.Reason(rtmp.ReasonProxyHeader) || e.Remote == "192.0.2.7:1" {
				t.Errorf("%+v %v", e, err)
			}
		})
	}
}

// The limit of connections an address is the client's, not the proxy's.
func TestProxiedConnectionsCountAsTheirClients(t *testing.T) {
	addr, _, rec, _ := behindProxy(t, true, nil, time.Minute)
	hold := func(client string) net.Conn {
		return through(t, addr, proxyproto.AppendV2(nil, netip.MustParseAddrPort(client), netip.MustParseAddrPort("192.0.2.8:2")))
	}
	for _, client := range []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "192.0.2.2:2"} {
		nc := hold(client)
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			t.Fatal(client, err)
		}
	}
	ends(t, hold("192.0.2.1:3"))
	refused := event.Of[event.Refused](rec)
	if len(refused) != 1 || refused[0].Reason != event.TooManyOfOne || refused[0].Remote != "192.0.2.1:3" {
		t.Errorf("%+v", refused)
	}
}

// A server that closes does not wait for headers.
func TestCloseWithHeadersAwaited(t *testing.T) {
	addr, _, _, s := behindProxy(t, true, nil, time.Minute)
	nc := through(t, addr, []byte("PROXY "))
	began := time.Now()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	ends(t, nc)
	if time.Since(began) > 30*time.Second {
		t.Error("it waited")
	}
}
