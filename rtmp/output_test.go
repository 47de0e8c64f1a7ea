package rtmp

import (
	"net"
	"testing"
	"time"
)

// deadlineConn remembers the write deadline in force.
type deadlineConn struct {
	net.Conn
	write time.Time
}

func (c *deadlineConn) Write(p []byte) (int, error)         { return len(p), nil }
func (c *deadlineConn) SetWriteDeadline(at time.Time) error { c.write = at; return nil }

// The owner of a socket's write side inherits no deadline: it would fail that
// owner's writes ten seconds after the Conn's last one.
func TestSetOutputLeavesNoDeadline(t *testing.T) {
	nc := &deadlineConn{}
	c := NewConn(nc, Options{})
	if err := c.WriteMessage(&Message{Type: Audio, Payload: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if nc.write.IsZero() {
		t.Fatal("a write of the Conn's own has no deadline")
	}
	if err := c.SetOutput(func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if !nc.write.IsZero() {
		t.Fatalf("deadline %v is still in force", nc.write)
	}
}

func TestOutputThatIsOverGivesTheNetworkBack(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	got := make(chan int, 4)
	go func() {
		buf := make([]byte, 256)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			got <- n
		}
	}()
	c := NewConn(a, Options{})
	calls := 0
	c.SetOutput(func([]byte) error {
		calls++
		return ErrOutputOver
	})
	for range 2 {
		if err := c.WriteRaw([]byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		if n := <-got; n != 3 {
			t.Errorf("%d bytes arrived", n)
		}
	}
	if calls != 1 {
		t.Errorf("the output was called %d times", calls)
	}
}

// What went past the Conn is in its count while somebody counts it, and stays there.
func TestBytesOutKeepsWhatWentPast(t *testing.T) {
	c := NewConn(&deadlineConn{}, Options{})
	var past int64
	count := func() int64 { return past }
	steps := []struct {
		what string
		do   func()
		want int64
	}{
		{"nothing", func() {}, 0},
		{"an owner", func() { c.CountOut(count); past = 100 }, 100},
		{"our own", func() { c.WriteRaw([]byte{1, 2, 3}) }, 103},
		{"another owner", func() { c.CountOut(func() int64 { return 7 }) }, 110},
		{"none", func() { c.CountOut(nil); past = 1000 }, 110},
		{"none again", func() { c.CountOut(nil) }, 110},
	}
	for _, s := range steps {
		s.do()
		if n := c.BytesOut(); n != s.want {
			t.Errorf("%s: %d bytes, want %d", s.what, n, s.want)
		}
	}
}
