package splice

import (
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// clocked is a loop whose clock the test turns, and a server's direction in it.
type clocked struct {
	*loop
	f              *flow
	server, client *net.TCPConn // their own ends
}

func newClocked(t *testing.T, maxAdded time.Duration) *clocked {
	t.Helper()
	l, err := newLoop(&Options{MaxAdded: maxAdded}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.poll.close)
	s := &Session{loop: l}
	server, serverFar := tcpPair(t)
	client, clientFar := tcpPair(t)
	for e, nc := range map[*end]*net.TCPConn{&s.server: server, &s.client: client} {
		if e.fd, err = detach(nc); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(e.fd) })
	}
	s.down = flow{s: s, src: &s.server, dst: &s.client}
	return &clocked{l, &s.down, serverFar, clientFar}
}

// says has the server say n bytes, with which waiting are there.
func (c *clocked) says(t *testing.T, n, waiting int) {
	t.Helper()
	if _, err := c.server.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	for there := int32(0); int(there) < waiting; runtime.Gosched() {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(c.f.src.fd), syscall.TIOCINQ, uintptr(unsafe.Pointer(&there))); errno != 0 {
			t.Fatal(errno)
		}
	}
}

// turn is a period of the lane, within which it comes to everybody.
func (c *clocked) turn() {
	for range laneSlots {
		c.now += c.lane.period
		c.sweep()
	}
}

// A server that sends often and little is visited by the clock: few sends, and no byte waits longer than the bound.
// When it falls silent it is left to epoll.
func TestChattyServersGoIntoTheLane(t *testing.T) {
	const bound = 40 * time.Millisecond
	c := newClocked(t, bound)
	sends, waiting := 0, 0
	var since time.Duration // when what waits began to
	for range 300 {
		c.now += 2 * time.Millisecond
		if waiting == 0 {
			since = c.now
		}
		waiting += 100
		c.says(t, 100, waiting)
		before := c.f.bytes.Load()
		if c.f.lane.in {
			c.sweep()
		} else {
			c.woken(c.f, c.visit(c.f))
		}
		if n := int(c.f.bytes.Load() - before); n > 0 {
			sends++
			waiting -= n
		}
		if waiting > 0 && c.now-since > bound {
			t.Fatalf("%d bytes wait for %v", waiting, c.now-since)
		}
	}
	if !c.f.lane.in {
		t.Error("it is not in the lane")
	}
	if sends > 60 {
		t.Errorf("300 packets were sent as %d", sends)
	}
	for range laneEmpty + 1 {
		c.turn()
	}
	if c.f.lane.in {
		t.Error("it says nothing, and is in the lane")
	}
}

// A server that sends much at a time, further apart than the bound, is not visited by the clock: that would find nothing.
func TestBurstsStayWithEpoll(t *testing.T) {
	const bound, burst = 20 * time.Millisecond, 14 << 10
	c := newClocked(t, bound)
	for range 200 {
		c.now += 50 * time.Millisecond
		c.says(t, burst, burst)
		for left := burst; left > 0; {
			n := c.visit(c.f)
			if n == 0 {
				t.Fatalf("%d bytes are left", left)
			}
			c.woken(c.f, n)
			left -= n
		}
		if c.f.lane.in {
			t.Fatal("a source of bursts is in the lane")
		}
		if _, err := io.ReadFull(c.client, make([]byte, burst)); err != nil {
			t.Fatal(err)
		}
	}
}

// Who is found to have sent something at nearly every visit stays in the lane; a source of bursts leaves.
func TestWhoLeavesTheLane(t *testing.T) {
	for _, tc := range []struct {
		name  string
		sends func(visit int) bool
		stays bool
	}{
		{"each time", func(int) bool { return true }, true},
		{"but for one in four", func(i int) bool { return i%4 != 0 }, true},
		{"every second time", func(i int) bool { return i%2 == 0 }, false},
		{"no more", func(i int) bool { return i < 20 }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClocked(t, patienceMin)
			c.enter(c.f)
			for i := range 40 {
				if tc.sends(i) {
					c.says(t, 1, 1)
				}
				c.turn()
			}
			if c.f.lane.in != tc.stays {
				t.Errorf("in the lane: %v", c.f.lane.in)
			}
		})
	}
}
