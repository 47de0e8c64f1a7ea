package rtmp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// seeded is randomness that a test can repeat.
func seeded(n byte) io.Reader { return rand.NewChaCha8([32]byte{n}) }

// pair runs both sides over an unbuffered pipe and returns what they learned. It
// fails if a byte beyond the handshake is consumed.
func pair(t *testing.T, server, client HandshakeOptions) (s, c HandshakeInfo) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan error, 1)
	go func() {
		var err error
		if c, err = ClientHandshake(b, client); err == nil {
			_, err = b.Write([]byte("next"))
		}
		done <- err
	}()
	s, err := ServerHandshake(a, server)
	if err != nil {
		t.Fatal(err)
	}
	var next [4]byte
	if _, err := io.ReadFull(a, next[:]); err != nil || string(next[:]) != "next" {
		t.Errorf("after the handshake: %q %v", next, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestHandshakeDigestBothSchemes(t *testing.T) {
	for seed := range byte(20) {
		for scheme := range 2 {
			s, c := pair(t, HandshakeOptions{Rand: seeded(seed)}, HandshakeOptions{Rand: seeded(seed + 100), Scheme: scheme})
			for _, i := range []HandshakeInfo{s, c} {
				if !i.Digest || i.Scheme != scheme || !i.Verified || i.Version == 0 {
					t.Errorf("scheme %d: server %+v client %+v", scheme, s, c)
				}
			}
		}
	}
}

func TestHandshakeSimpleAndFallBack(t *testing.T) {
	simple := HandshakeOptions{Simple: true}
	for name, o := range map[string][2]HandshakeOptions{
		"both simple":   {simple, simple},
		"simple client": {{}, simple},
		"simple server": {simple, {}},
	} {
		s, c := pair(t, o[0], o[1])
		if s.Digest || c.Digest || !s.Verified || !c.Verified {
			t.Errorf("%s: server %+v client %+v", name, s, c)
		}
	}
}

// A client with a version but no valid digest is answered simply.
func TestHandshakeServerFallsBackFromABadDigest(t *testing.T) {
	c1 := bytes.Repeat([]byte{9}, 1+packetSize)
	c1[0] = protocolVersion
	rw := &script{in: bytes.NewReader(cat(c1, make([]byte, packetSize)))}
	info, err := ServerHandshake(rw, HandshakeOptions{})
	if err != nil || info.Digest || info.Verified {
		t.Fatalf("%+v %v", info, err)
	}
	if !bytes.Equal(rw.out.Bytes()[1+packetSize:], c1[1:]) {
		t.Error("S2 is not a copy of C1")
	}
}

// A server that sends S2 only once it has C2 (the specification allows it).
func TestHandshakeClientBeforeALateS2(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan error, 1)
	go func() {
		_, err := ClientHandshake(b, HandshakeOptions{})
		done <- err
	}()
	c01 := make([]byte, 1+packetSize)
	io.ReadFull(a, c01)
	s01 := make([]byte, 1+packetSize)
	s01[0] = protocolVersion
	a.Write(s01)
	io.ReadFull(a, make([]byte, packetSize))
	a.Write(c01[1:])
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// script is a peer that has said everything already.
type script struct {
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

func TestHandshakeNamesStrangers(t *testing.T) {
	for _, c := range []struct {
		first string
		want  Reason
	}{
		{"\x16\x03\x01\x02\x00\x01\x00\x01", ReasonTLS},
		{"\x16", ReasonTLS},
		{"GET / HTTP/1.1\r\n", ReasonHTTP},
		{"G", ReasonHTTP},
		{"P", ReasonHTTP},
		{"POST /open/1 HTTP/1.1\r\n", ReasonHTTP},
		{"OPTIONS * HTTP/1.1\r\n", ReasonHTTP},
		{"PRI * HTTP/2.0\r\n", ReasonHTTP},
		{"PROXY TCP4 1.2.3.4", ReasonProxyHeader},
		{"PROXY garbage", ReasonProxyHeader},
		{"\r\n\r\n\x00\r\nQUIT\n", ReasonProxyHeader},
		{"\x06abc", ReasonEncrypted},
		{"\x00", ReasonNotRTMP},
		{"\x04", ReasonNotRTMP},
		{"SSH-2.0-OpenSSH", ReasonNotRTMP},
		{"", ReasonHandshakeEnded},
		{"\x03", ReasonHandshakeEnded},
		{"\x03" + string(make([]byte, 2000)), ReasonHandshakeEnded},
	} {
		_, err := ServerHandshake(&script{in: bytes.NewReader([]byte(c.first))}, HandshakeOptions{})
		if reasonOf(err) != c.want {
			t.Errorf("%q: %v, want %s", c.first, err, c.want)
		}
		if c.want != ReasonHandshakeEnded {
			// The answer comes without waiting for more.
			a, b := net.Pipe()
			go b.Write([]byte(c.first))
			if _, err := ServerHandshake(a, HandshakeOptions{}); reasonOf(err) == "" {
				t.Errorf("%q: %v", c.first, err)
			}
			a.Close()
		}
	}
	if _, err := ClientHandshake(&script{in: bytes.NewReader([]byte("HTTP/1.1 400 Bad Request\r\n"))}, HandshakeOptions{}); reasonOf(err) != ReasonNotRTMP {
		t.Errorf("client of an HTTP server: %v", err)
	}
}

// A byte every second never gets past the absolute deadline.
func TestHandshakeDripEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		begin := time.Now()
		var drip sync.WaitGroup
		drip.Go(func() {
			for {
				if _, err := b.Write([]byte{3}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		c := NewConn(a, Options{})
		_, err := c.ServerHandshake()
		if reasonOf(err) != ReasonHandshakeTimeout || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Since(begin); took != HandshakeTimeout {
			t.Errorf("ended after %v", took)
		}
		c.Close()
		drip.Wait()
	})
}

// The digest as a peer computes it, against a packet whose digest was made by
// hand: both places, the whole range of pointers.
func TestDigestPlacesStayWithinThePacket(t *testing.T) {
	for scheme := range 2 {
		for sum := range 4 * 255 {
			p := make([]byte, packetSize)
			at := digestPointer[scheme]
			for i := range 4 {
				p[at+i] = byte(min(255, max(0, sum-255*i)))
			}
			start := digestAt(p, scheme)
			if start < at+4 || start+digestSize > packetSize || start >= at+4+digestSpan {
				t.Fatalf("scheme %d sum %d: digest at %d", scheme, sum, start)
			}
			if scheme == 0 && start+digestSize > digestPointer[1] {
				t.Fatalf("scheme 0 sum %d: digest at %d reaches into the second half", sum, start)
			}
		}
	}
}
