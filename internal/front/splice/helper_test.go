package splice

import (
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tcpPair returns two connected sockets.
func tcpPair(t testing.TB) (near, far *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// joined is a session with its outer ends in the test's hands.
type joined struct {
	*Session
	client, server *net.TCPConn
	ended          chan Ended
}

func join(t testing.TB, j *Joiner, p Pair) *joined {
	t.Helper()
	x := &joined{ended: make(chan Ended, 2)}
	p.Client, x.client = tcpPair(t)
	p.Server, x.server = tcpPair(t)
	p.Ended = func(e Ended) { x.ended <- e }
	s, err := j.Join(p)
	if err != nil {
		t.Fatal(err)
	}
	x.Session = s
	return x
}

func (x *joined) wait(t testing.TB) Ended {
	t.Helper()
	select {
	case e := <-x.ended:
		return e
	case <-time.After(time.Minute):
		t.Fatal("the session does not end")
		return Ended{}
	}
}

// descriptors are this process's open ones.
func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(time.Minute); !is(); <-look.C {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}

// modes are the ways of moving that give the same bytes.
var modes = map[string]Options{
	"pages": {},
	"bytes": {Copy: true},
	"lane":  {MaxAdded: 20 * time.Millisecond},
	"late":  {MaxAdded: 50 * time.Millisecond},
}

func inModes(t *testing.T, f func(t *testing.T, j *Joiner)) {
	for name, o := range modes {
		t.Run(name, func(t *testing.T) {
			j := New(o)
			defer j.Close()
			f(t, j)
		})
	}
}
