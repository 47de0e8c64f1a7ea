package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a server on a bare socket that keeps every byte, and answers each
// request with its number.
type recorder struct {
	mu   sync.Mutex
	got  bytes.Buffer
	reqs []string
}

func record(t *testing.T) (*recorder, Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	rec := &recorder{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go rec.serve(c)
		}
	}()
	return rec, Server{Name: "rec", Addr: l.Addr().String()}
}

func (rec *recorder) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(io.TeeReader(c, writerFunc(func(b []byte) (int, error) {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return rec.got.Write(b)
	})))
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it never was a request
		}
		rec.mu.Lock()
		rec.reqs = append(rec.reqs, fmt.Sprintf("%s %s %q", r.Method, r.RequestURI, body))
		n := len(rec.reqs)
		rec.mu.Unlock()
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%02d", n)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// What two servers could read as different requests is either refused, or sent on in a
// form that has one reading.
func TestRequestSmuggling(t *testing.T) {
	for _, c := range []struct{ what, raw, want string }{
		{"length and chunks", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			`POST /a ""`},
		{"length and chunks, with a request inside", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n24\r\nGET /admin HTTP/1.1\r\nHost: inner\r\n\r\n\r\n0\r\n\r\n",
			`POST /a "GET /admin HTTP/1.1\r\nHost: inner\r\n\r\n"`},
		{"two lengths", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", ""},
		{"length with a sign", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd", ""},
		{"unknown coding", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ""},
		{"two codings", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", ""},
		{"space before the colon", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\nabcd", ""},
		{"folded field", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", `POST /a ""`},
		{"NUL in a field", "GET /a HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", ""},
		{"CR in a field", "GET /a HTTP/1.1\r\nHost: x\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n", ""},
		{"no host", "GET /a HTTP/1.1\r\n\r\n", ""},
		{"two hosts", "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", ""},
		{"bad chunk size", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n", ""},
		{"line end in the target", "GET /a%0d%0aX:1 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"dots in the target", "GET /live/%2e%2e/admin HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", ""},
		{"TRACE", "TRACE /a HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"no HTTP at all", "\x03\x00\x00\x00\x00\x00\x00\x00\x00\r\n\r\n", ""},
	} {
		rec, srv := record(t)
		s := stand(t, newFleet(srv), nil)
		nc, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(nc, c.raw)
		nc.SetReadDeadline(time.Now().Add(time.Minute))
		status := 0
		if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil {
			status = res.StatusCode
		}
		nc.Close()
		rec.mu.Lock()
		got := strings.Join(rec.reqs, ", ")
		sent := rec.got.String()
		rec.mu.Unlock()
		if got != c.want {
			t.Errorf("%s: the server read %s, want %s; it was sent %q", c.what, got, c.want, sent)
		}
		if strings.Contains(strings.ToLower(sent), "content-length") && strings.Contains(strings.ToLower(sent), "transfer-encoding") {
			t.Errorf("%s: sent on with both framings: %q", c.what, sent)
		}
		if (c.want == "") != (status >= 400 && status < 600) {
			t.Errorf("%s: answered %d", c.what, status)
		}
	}
}

// A server's answer cannot be read as two either.
func TestAnswerSmuggling(t *testing.T) {
	for what, raw := range map[string]string{
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
		"line end in a name": "HTTP/1.1 200 OK\r\nX\rY: 1\r\nContent-Length: 0\r\n\r\n",
		"endless header":     "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 100) + "\r\n",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				http.ReadRequest(bufio.NewReader(c))
				io.WriteString(c, raw)
				c.Close()
			}
		}()
		s := stand(t, newFleet(Server{Name: "a", Addr: l.Addr().String()}), nil)
		if res, _ := s.get(t, "/x"); res.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: got %d", what, res.StatusCode)
		}
	}
}

func TestSlowloris(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(http.NotFoundHandler(), quiet)
	if srv.ReadHeaderTimeout != headerTimeout {
		t.Fatalf("a header may take %v", srv.ReadHeaderTimeout)
	}
	srv.ReadHeaderTimeout = 300 * time.Millisecond // for the test's sake
	go srv.Serve(l)
	defer srv.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, "GET /x HTTP/1.1\r\nHost: x\r\n")
	ended := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(nc)
		ended <- err
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			io.WriteString(nc, "X") // a byte at a time does not help
		case <-patience.C:
			t.Fatal("the connection is still open")
		}
	}
}

func TestLongHeadersAreRefused(t *testing.T) {
	s := stand(t, newFleet(says(t, "a")), nil)
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	go fmt.Fprintf(nc, "GET /x HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("y", 64<<10))
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, %v", res, err)
	}
}
