package bench

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pair returns both ends of a TCP connection.
func pair(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// Whatever the pieces, every byte is counted once.
func TestDiscardedBytesAreCountedExactly(t *testing.T) {
	for _, r := range []Reader{Lazy, Eager} {
		t.Run(string(r), func(t *testing.T) {
			d, err := newDiscarder(r, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer d.close()
			const viewers, before = 8, 1000
			junk := make([]byte, 300_000)
			rand.Read(junk)
			var all sync.WaitGroup
			for i := range viewers {
				here, there := pair(t)
				ended := make(chan error, 1)
				v, err := d.take(here, before, false, func(err error) { ended <- err })
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					sent := int64(before)
					for n := 1; n < len(junk); n = n*3 + i {
						if _, err := there.Write(junk[:n]); err != nil {
							t.Error(err)
						}
						sent += int64(n)
					}
					there.Close()
					if err := <-ended; !errors.Is(err, io.EOF) {
						t.Errorf("ended with %v", err)
					}
					if got := v.bytes.Load(); got != sent {
						t.Errorf("%d bytes counted of %d", got, sent)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestDiscarderAcknowledges(t *testing.T) {
	d, err := newDiscarder(Eager, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	here, there := pair(t)
	if _, err := d.take(here, 0, true, func(error) {}); err != nil {
		t.Fatal(err)
	}
	go io.CopyN(there, zeros{}, 2*ackBytes)
	there.SetReadDeadline(time.Now().Add(time.Minute))
	ack := make([]byte, 16)
	if _, err := io.ReadFull(there, ack); err != nil {
		t.Fatal(err)
	}
	if n := int(ack[12])<<24 | int(ack[13])<<16 | int(ack[14])<<8 | int(ack[15]); n < ackBytes || n > 2*ackBytes {
		t.Errorf("acknowledged %d", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A connection that is no TCP socket is read by this process.
func TestDiscarderReadsWhatTheKernelCannot(t *testing.T) {
	d, err := newDiscarder(Lazy, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	here, there := net.Pipe()
	ended := make(chan error, 1)
	v, err := d.take(here, 5, false, func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := there.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	there.Close()
	if err := <-ended; err != io.EOF || v.bytes.Load() != 100_005 {
		t.Error(err, v.bytes.Load())
	}
}

// An end by this side is no event, and no descriptor stays.
func TestDiscarderCloses(t *testing.T) {
	for _, r := range []Reader{Lazy, Eager} {
		d, err := newDiscarder(r, 1)
		if err != nil {
			t.Fatal(err)
		}
		here, there := pair(t)
		v, err := d.take(here, 0, false, func(err error) { t.Errorf("told of its end: %v", err) })
		if err != nil {
			t.Fatal(err)
		}
		d.close()
		var st syscall.Stat_t
		if v.fd >= 0 && syscall.Fstat(v.fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
			if sa, err := syscall.Getpeername(v.fd); err == nil && sa.(*syscall.SockaddrInet4).Port == there.LocalAddr().(*net.TCPAddr).Port {
				t.Error("the socket is still open")
			}
		}
		there.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := there.Read(make([]byte, 1)); err == nil {
			t.Error("the peer reads on")
		}
		late, _ := pair(t)
		if _, err := d.take(late, 0, false, func(error) {}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("taken after the end: %v", err)
		}
	}
}
