package testnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if n, err := c.Write(b); err != nil || n != len(b) {
		t.Fatalf("wrote %d of %d: %v", n, len(b), err)
	}
}

func read(t *testing.T, c net.Conn, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBytesArriveInOrderAfterDelayAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := Pipe(Faults{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond, Seed: 1})
		start := time.Now()
		for i := range 100 {
			write(t, a, []byte{byte(i)})
			time.Sleep(time.Millisecond)
		}
		got := read(t, b, 100)
		for i, v := range got {
			if int(v) != i {
				t.Fatalf("byte %d is %d", i, v)
			}
		}
		if d := time.Since(start); d < 199*time.Millisecond || d > 250*time.Millisecond {
			t.Errorf("the last byte took %v", d)
		}
		a.Close()
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the close: %v", err)
		}
		b.Close()
	})
}

func TestPieceGivesOneByteARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := Pipe(Faults{Piece: 1})
		write(t, a, []byte("abc"))
		buf := make([]byte, 10)
		for _, want := range "abc" {
			if n, err := b.Read(buf); n != 1 || err != nil || buf[0] != byte(want) {
				t.Fatalf("read %q, %v", buf[:n], err)
			}
		}
	})
}

func TestRateAndWindowHoldTheWriterUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := Pipe(Faults{Rate: 1000, Window: 500})
		go func() {
			a.Write(make([]byte, 2000))
			a.Close()
		}()
		start := time.Now()
		if n, err := io.Copy(io.Discard, b); n != 2000 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			t.Errorf("2,000 bytes at 1,000 a second took %v", d)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, l := Pipe(Faults{Window: 10})
		start := time.Now()
		b.SetReadDeadline(start.Add(time.Second))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("read ended with %v after %v", err, time.Since(start))
		}
		l.Stall(Up)
		a.SetWriteDeadline(start.Add(2 * time.Second))
		if n, err := a.Write(make([]byte, 20)); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("wrote %d, %v after %v", n, err, time.Since(start))
		}
		// A deadline that is moved while a read waits holds for it.
		ended := make(chan error, 1)
		b.SetReadDeadline(time.Time{})
		go func() {
			_, err := b.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		b.SetReadDeadline(time.Unix(1, 0))
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the waiting read ended with %v", err)
		}
	})
}

func TestResetAndCorruptionComeWhereTheTestSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, l := Pipe(Faults{})
		l.CorruptAt(Up, 2)
		l.ResetAt(Up, 5)
		n, err := a.Write([]byte("abcdefgh"))
		if n != 5 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("wrote %d, %v", n, err)
		}
		if _, err := b.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the other end reads %v", err)
		}
		a, b, l = Pipe(Faults{})
		l.CorruptAt(Up, 2)
		write(t, a, []byte("abcd"))
		if got := read(t, b, 4); !bytes.Equal(got, []byte{'a', 'b', 'c' ^ 0xff, 'd'}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestCutTellsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, l := Pipe(Faults{})
		l.Cut()
		write(t, a, []byte("lost"))
		a.Close()
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the other end hears %v", err)
		}
		write(t, b, []byte("x"))
	})
}

func TestCloseWithBytesUnreadResets(t *testing.T) {
	a, b, _ := Pipe(Faults{})
	write(t, a, []byte("unread"))
	b.Close()
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write %v", err)
	}
}

func TestNetworkListensRefusesAndSwallows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		const at = "10.0.0.1:1935"
		if _, err := n.Dial(t.Context(), at); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		ln, err := n.Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen(at); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("twice: %v", err)
		}
		c, err := n.DialFrom(t.Context(), "10.0.0.9", at)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ln.Accept()
		if err != nil || s.RemoteAddr().(*net.TCPAddr).IP.String() != "10.0.0.9" {
			t.Fatalf("accepted %v, %v", s, err)
		}
		write(t, c, []byte("hi"))
		read(t, s, 2)
		n.Blackhole(at, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := n.Dial(ctx, at); err == nil || time.Since(start) != time.Minute {
			t.Errorf("a black hole answered %v after %v", err, time.Since(start))
		}
		ln.Close()
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept after close: %v", err)
		}
		if n.Dialled(at) != 3 || len(n.Links(at)) != 1 {
			t.Errorf("%d dials, %d links", n.Dialled(at), len(n.Links(at)))
		}
	})
}

// echo is a real server that sends back what it gets.
func echo(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return ln.Addr().String()
}

func dialProxy(t *testing.T, f Faults) (*Proxy, net.Conn) {
	p, err := NewProxy(echo(t), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return p, c
}

func TestProxyCarriesBothWaysAndTheEnd(t *testing.T) {
	_, c := dialProxy(t, Faults{Piece: 1})
	write(t, c, []byte("hello"))
	if got := read(t, c, 5); string(got) != "hello" {
		t.Errorf("got %q", got)
	}
	c.(*net.TCPConn).CloseWrite()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the end came as %v", err)
	}
}

func TestProxyResetsInMidStream(t *testing.T) {
	p, c := dialProxy(t, Faults{})
	write(t, c, []byte("a"))
	read(t, c, 1)
	p.Links()[0].ResetAt(Down, 3)
	write(t, c, []byte("bcdef"))
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended with %v", err)
	}
}

func TestProxyStallsAndCloses(t *testing.T) {
	p, c := dialProxy(t, Faults{})
	write(t, c, []byte("a"))
	read(t, c, 1)
	l := p.Links()[0]
	l.Stall(Down)
	write(t, c, []byte("b"))
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("through a stall: %v", err)
	}
	c.SetReadDeadline(time.Now().Add(time.Minute))
	l.Resume(Down)
	read(t, c, 1)
	l.Cut()
	p.Close() // must not wait for the half-open connection
}

func TestProxysFaultsAreOfLaterConnections(t *testing.T) {
	p, c := dialProxy(t, Faults{})
	write(t, c, []byte("a"))
	read(t, c, 1)
	p.SetFaults(Faults{Delay: time.Hour})
	write(t, c, []byte("b"))
	read(t, c, 1)
	late, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	write(t, late, []byte("c"))
	late.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := late.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("without delay: %v", err)
	}
}
