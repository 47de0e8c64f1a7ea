package discovery

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/ops/secret"
)

// callers is a listener whose connections come from wherever a test says.
type callers struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *callers) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *callers) Close() error   { close(l.closed); return nil }
func (l *callers) Addr() net.Addr { return &net.TCPAddr{} }

type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.addr))
}

// dial connects from an address.
func (l *callers) dial(addr string) net.Conn {
	here, there := net.Pipe()
	l.conns <- from{there, addr}
	return here
}

// say sends a request and returns the status of the answer, and whether it is the last.
func say(t *testing.T, c net.Conn, request string) (status int, last bool) {
	t.Helper()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	go c.Write([]byte(request)) // what is not read of it does not matter
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
		return 0, true
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Close
}

func post(body, header string) string {
	return fmt.Sprintf("POST /api/v1/srs/register HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
}

const versions = "GET /api/v1/versions HTTP/1.1\r\nHost: x\r\n\r\n"

// withGate runs a registration listener.
func withGate(t *testing.T, o SRSOptions, f func(t *testing.T, l *callers, s *SRS)) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := world()
		s := newSRS(w, o)
		l := &callers{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, l) }()
		f(t, l, s)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// heartbeatArrives from an address at once.
func heartbeatArrives(t *testing.T, l *callers, addr, header string) {
	t.Helper()
	began := time.Now()
	c := l.dial(addr)
	defer c.Close()
	if status, _ := say(t, c, post(fmt.Sprintf(heartbeat, ""), header)); status != 200 || time.Since(began) > time.Second {
		t.Errorf("a server's heartbeat: %d after %v", status, time.Since(began))
	}
}

func TestStrangersKeepNoServerFromRegistering(t *testing.T) {
	bearer := "Authorization: Bearer s3cret\r\n"
	for _, tc := range []struct {
		name     string
		o        SRSOptions
		stranger func(i int) string
		say      string // what they say before they fall silent
		status   int
		last     bool
		header   string // the server's
	}{
		{"silent", SRSOptions{Trust: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, each, "", 0, false, ""},
		{"asking", SRSOptions{Trust: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, each, versions, 403, true, ""},
		{"slow, without the token", SRSOptions{Token: secret.New("s3cret")}, each, "POST /api/v1/srs/register HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{", 401, true, bearer},
		{"asking, without the token", SRSOptions{Token: secret.New("s3cret")}, each, versions, 401, true, bearer},
		{"silent, and everybody may", SRSOptions{}, each, "", 0, false, ""},
		{"idle, and everybody may", SRSOptions{}, each, versions, 200, false, ""},
		{"of one network", SRSOptions{}, func(i int) string { return fmt.Sprintf("[2001:db8::%x]:99", i+1) }, versions, 200, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withGate(t, tc.o, func(t *testing.T, l *callers, s *SRS) {
				for i := range 300 {
					c := l.dial(tc.stranger(i))
					defer c.Close()
					if tc.say == "" {
						continue
					}
					began := time.Now()
					if status, last := say(t, c, tc.say); status != tc.status || last != tc.last || time.Since(began) > time.Second {
						t.Fatalf("a stranger is told %d, last %v, after %v", status, last, time.Since(began))
					}
				}
				heartbeatArrives(t, l, "10.78.122.184:4000", tc.header)
				if s.o.Backends.Len() != 1 {
					t.Errorf("%d have registered", s.o.Backends.Len())
				}
			})
		})
	}
}

func each(i int) string { return fmt.Sprintf("192.0.%d.%d:99", 2+i/256, i%256) }

// One address may take its own places, and nobody else's.
func TestOneAddressTakesNobodysPlace(t *testing.T) {
	withGate(t, SRSOptions{}, func(t *testing.T, l *callers, _ *SRS) {
		server := l.dial("10.78.122.184:4000")
		defer server.Close()
		say(t, server, versions)
		var flood []net.Conn
		for i := range 300 {
			c := l.dial(fmt.Sprintf("[2001:db8::%x]:99", i+1))
			defer c.Close()
			flood = append(flood, c)
		}
		synctest.Wait()
		open := 0
		for _, c := range flood {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); err != nil && strings.Contains(err.Error(), "timeout") {
				open++
			}
		}
		if open != maxConnectionsEach {
			t.Errorf("one network has %d connections", open)
		}
		if status, _ := say(t, server, versions); status != 200 {
			t.Errorf("the server's connection is gone: %d", status)
		}
	})
}
