package live

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"weir/internal/stream"
)

// option returns an option of a socket.
func option(t *testing.T, nc *net.TCPConn, level, name int) (n int) {
	t.Helper()
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { n, failed = syscall.GetsockoptInt(int(fd), level, name) }); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return n
}

// What a peer that reads nothing is sent: both sockets' share. What is under way is bounded by
// the peer's buffer, not by ours.
func TestSocketSinkKeepsLittleUnsent(t *testing.T) {
	server, client := pair(t)
	s, err := NewSocketSink(server)
	if err != nil {
		t.Fatal(err)
	}
	b, total := make([]byte, 1<<20), 0
	for {
		n, err := s.TryWrite(b)
		if err != nil {
			t.Fatal(err)
		}
		if total += n; n == 0 {
			break
		}
	}
	if most := maxUnsent + 64<<10 + option(t, client, syscall.SOL_SOCKET, syscall.SO_RCVBUF); total > most {
		t.Errorf("it is sent %d bytes, want at most %d", total, most)
	}
}

// Nagle's algorithm is on while a viewer of low latency is in the lane, turned on once, and off
// when the socket is somebody else's again.
func TestLowLatencyGathersWhileItPlays(t *testing.T) {
	for _, low := range []bool{true, false} {
		h, s, w := stillWith(t, Options{Latency: func(stream.Name) Latency { return Latency{Low: low} }})
		server, client := pair(t)
		go io.Copy(io.Discard, client)
		noDelay := func() bool { return option(t, server, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) != 0 }
		out, err := NewSocketSink(server)
		if err != nil {
			t.Fatal(err)
		}
		var ended Reason
		v := s.Join(JoinOptions{Sink: out, OnEnd: func(r Reason, _ error) { ended = r }})
		p, sh := h.pumps[0], newShape()
		step := func(inLane bool) {
			t.Helper()
			for end := time.Now().Add(time.Minute); ; {
				if err := w.Write(sh.next()); err != nil {
					t.Fatal(err)
				}
				p.readMail(h.now())
				passAll(p, h.now())
				if v.inLane == inLane {
					return
				}
				if time.Now().After(end) {
					t.Fatalf("in the lane: %v", !inLane)
				}
			}
		}
		if !noDelay() {
			t.Error("a viewer that has had nothing yet waits")
		}
		step(true)
		if noDelay() == low {
			t.Errorf("low %v: no delay: %v", low, noDelay())
		}
		// Back in the lane it is as it was left: it is not set again.
		server.SetNoDelay(true)
		v.Pause(true)
		step(false)
		v.Pause(false)
		step(true)
		if !noDelay() {
			t.Error("set at each return to the lane")
		}
		server.SetNoDelay(!low)
		v.Finish()
		p.readMail(h.now())
		if ended != ReasonLeft || !noDelay() {
			t.Errorf("low %v, after the end (%q): no delay: %v", low, ended, noDelay())
		}
	}
}
