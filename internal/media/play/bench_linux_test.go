package play_test

import (
	"bytes"
	"net/netip"
	"syscall"
	"testing"

	"weir/amf"
	"weir/rtmp"
)

// thrifty is a viewer of plain system calls and prepared words, so that the allocations of a
// benchmark are the server's.
type thrifty struct {
	to             syscall.SockaddrInet4
	hello, request []byte
	buf            []byte
}

func newThrifty(b *testing.B, addr string) *thrifty {
	at := netip.MustParseAddrPort(addr)
	c := &thrifty{to: syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}, buf: make([]byte, 64<<10)}
	c.hello = make([]byte, 1+1536)
	c.hello[0] = 3
	c.request = make([]byte, 1536) // C2; nobody looks at it
	for _, m := range []struct {
		stream uint32
		cmd    rtmp.Command
	}{
		{0, rtmp.Command{Name: "connect", Transaction: 1, Object: amf.Object{{Key: "app", Value: "live"}}}},
		{0, rtmp.Command{Name: "createStream", Transaction: 2}},
		{1, rtmp.Command{Name: "play", Transaction: 3, Args: []any{"alice"}}},
	} {
		c.request = rtmp.AppendMessage(c.request, &rtmp.Message{Type: rtmp.CommandAMF0, StreamID: m.stream, Payload: rtmp.AppendCommand(nil, &m.cmd)}, rtmp.DefaultInChunkSize)
	}
	return c
}

var playStart = []byte(rtmp.CodePlayStart)

// join connects and plays; it returns the socket when the play has begun.
func (c *thrifty) join(b *testing.B) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := syscall.Connect(fd, &c.to); err != nil {
		b.Fatal(err)
	}
	c.write(b, fd, c.hello)
	for got := 0; got < 1+2*1536; {
		got += c.read(b, fd, c.buf)
	}
	c.write(b, fd, c.request)
	for got := 0; !bytes.Contains(c.buf[:got], playStart); {
		got += c.read(b, fd, c.buf[got:])
	}
	return fd
}

func (c *thrifty) write(b *testing.B, fd int, p []byte) {
	if n, err := syscall.Write(fd, p); n != len(p) {
		b.Fatal(n, err)
	}
}

func (c *thrifty) read(b *testing.B, fd int, p []byte) int {
	n, err := syscall.Read(fd, p)
	if n <= 0 {
		b.Fatal("the server is gone: ", err)
	}
	return n
}

// An operation is a viewer that comes over TCP, is told that it plays, and goes.
func BenchmarkJoin(b *testing.B) {
	w, n, addr := node(b)
	w.Shape.VideoBitrate, w.Shape.AudioBitrate = 80_000, 20_000
	w.Publish(n, alice, 1)
	published(b, n, alice)
	c := newThrifty(b, addr)
	b.ReportAllocs()
	for b.Loop() {
		syscall.Close(c.join(b))
	}
	b.StopTimer()
	until(b, "all have gone", func() bool { return n.Play.Viewers() == 0 })
}
