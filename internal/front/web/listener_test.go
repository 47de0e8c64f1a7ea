package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"weir/internal/proxyproto"
)

// serve answers each request with whose it is, on a listener with o.
func serve(t *testing.T, o ListenOptions, secure bool) string {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.RemoteAddr, r.Proto) }), quiet)
	ended := make(chan error, 1)
	ln := Listen(inner, o)
	if secure {
		ts := httptest.NewUnstartedServer(nil)
		ts.StartTLS()
		srv.TLSConfig = &tls.Config{Certificates: ts.TLS.Certificates}
		ts.Close()
		go func() { ended <- srv.ServeTLS(ln, "", "") }()
	} else {
		go func() { ended <- srv.Serve(ln) }()
	}
	t.Cleanup(func() {
		srv.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return inner.Addr().String()
}

// through asks by way of dial.
func through(t *testing.T, url string, dial func() (net.Conn, error)) (string, error) {
	t.Helper()
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() }, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	res, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func announced(addr string, header []byte) func() (net.Conn, error) {
	return func() (net.Conn, error) {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			_, err = nc.Write(header)
		}
		return nc, err
	}
}

func TestProxiesSayWhoseConnectionItIs(t *testing.T) {
	src, dst := netip.MustParseAddrPort("198.51.100.7:5000"), netip.MustParseAddrPort("203.0.113.1:80")
	for _, secure := range []bool{false, true} {
		addr := serve(t, ListenOptions{Announced: everybody}, secure)
		url, proto := "http://x/", "HTTP/1.1"
		if secure {
			url, proto = "https://x/", "HTTP/2.0"
		}
		for version, header := range map[int][]byte{1: proxyproto.AppendV1(nil, src, dst), 2: proxyproto.AppendV2(nil, src, dst)} {
			if got, err := through(t, url, announced(addr, header)); err != nil || got != "198.51.100.7:5000 "+proto {
				t.Errorf("TLS %v, version %d: %q, %v", secure, version, got, err)
			}
		}
		if got, err := through(t, url, announced(addr, proxyproto.AppendV2(nil, netip.AddrPort{}, netip.AddrPort{}))); err != nil || got[:10] != "127.0.0.1:" {
			t.Errorf("TLS %v, the proxy's own: %q, %v", secure, got, err)
		}
		if got, err := through(t, url, announced(addr, nil)); err == nil {
			t.Errorf("TLS %v, none: %q", secure, got)
		}
	}
}

func TestStrangersCannotAnnounceAnything(t *testing.T) {
	addr := serve(t, ListenOptions{Announced: func(netip.Addr) bool { return false }}, false)
	header := proxyproto.AppendV1(nil, netip.MustParseAddrPort("198.51.100.7:5000"), netip.MustParseAddrPort("203.0.113.1:80"))
	if got, err := through(t, "http://x/", announced(addr, header)); err == nil && got != "400 Bad Request" {
		t.Errorf("got %q", got)
	}
	if got, err := through(t, "http://x/", announced(addr, nil)); err != nil || got[:10] != "127.0.0.1:" {
		t.Errorf("without: %q, %v", got, err)
	}
}

func TestOneAddressHasSoManyConnections(t *testing.T) {
	addr := serve(t, ListenOptions{Announced: everybody, PerAddr: 2}, false)
	open := func(client string) net.Conn {
		nc, err := announced(addr, proxyproto.AppendV1(nil, netip.MustParseAddrPort(client), netip.MustParseAddrPort("203.0.113.1:80")))()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		return nc
	}
	taken := func(nc net.Conn) bool {
		nc.SetReadDeadline(time.Now().Add(time.Minute))
		n, _ := nc.Read(make([]byte, 1))
		return n == 1
	}
	one, two := open("198.51.100.7:1"), open("198.51.100.7:2")
	defer two.Close()
	if !taken(one) || !taken(two) {
		t.Fatal("the first two were not taken")
	}
	three, other := open("198.51.100.7:3"), open("198.51.100.8:1")
	defer three.Close()
	defer other.Close()
	if taken(three) {
		t.Error("a third was taken")
	}
	if !taken(other) {
		t.Error("another client behind the same proxy was not taken")
	}
	one.Close()
	until(t, "there is room again", func() bool {
		nc := open("198.51.100.7:4")
		defer nc.Close()
		return taken(nc)
	})
}

// A proxy that says nothing holds up nobody.
func TestASilentProxyHoldsUpNobody(t *testing.T) {
	addr := serve(t, ListenOptions{Announced: everybody}, false)
	for range 20 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	header := proxyproto.AppendV1(nil, netip.MustParseAddrPort("198.51.100.7:5000"), netip.MustParseAddrPort("203.0.113.1:80"))
	if _, err := through(t, "http://x/", announced(addr, header)); err != nil {
		t.Error(err)
	}
}
