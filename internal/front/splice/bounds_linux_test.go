package splice

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// An idle session is two descriptors; one that lags has a pipe too, until it has
// caught up.
func TestTwoDescriptorsAnIdleSession(t *testing.T) {
	j := New(Options{})
	defer j.Close()
	warm := join(t, j, Pair{})
	big := make([]byte, 4<<20)
	feed(t, warm, big)
	before := descriptors(t)
	const n = 50
	var all []*joined
	for range n {
		x := join(t, j, Pair{})
		feed(t, x, big[:256<<10])
		all = append(all, x)
	}
	eventually(t, "no pipe is lent", func() bool { return j.Stats().Pipes == 0 })
	// Two here and two in the test's hands.
	if got := descriptors(t) - before; got > 4*n+2 {
		t.Errorf("%d descriptors for %d sessions and their peers, want %d", got, n, 4*n)
	}
	for _, x := range all {
		x.client.Close()
		x.server.Close()
		x.wait(t)
	}
	// A Write that has written all still holds its descriptor until it returns.
	eventually(t, "the descriptors are closed", func() bool { return descriptors(t) <= before+keepFree*2 })
}

// A session that has a loop, and is not there yet when the Joiner closes, is ended too.
func TestCloseWaitsForWhoIsOnTheWay(t *testing.T) {
	j := New(Options{})
	warm := join(t, j, Pair{})
	l, err := j.loop()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() { j.Close(); close(closed) }()
	warm.client.Close()
	warm.server.Close()
	warm.wait(t)
	client, _ := tcpPair(t)
	server, _ := tcpPair(t)
	over := make(chan Ended, 1)
	s := &Session{loop: l, ended: func(e Ended) { over <- e }}
	for e, nc := range map[*end]*net.TCPConn{&s.client: client, &s.server: server} {
		if e.fd, err = detach(nc); err != nil {
			t.Fatal(err)
		}
	}
	s.client.side, s.server.side = ByClient, ByServer
	s.up = flow{s: s, src: &s.client, dst: &s.server}
	s.down = flow{s: s, src: &s.server, dst: &s.client}
	l.post(mail{join: s})
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Fatal("Close does not return")
	}
	select {
	case <-over:
	default:
		t.Error("its descriptors are left open")
	}
}

// feed sends p from the server and reads it at the client.
func feed(t testing.TB, x *joined, p []byte) {
	t.Helper()
	go x.server.Write(p)
	if _, err := io.ReadFull(x.client, make([]byte, len(p))); err != nil {
		t.Fatal(err)
	}
}

// fill writes whatever is taken until the connection ends: however slowly that goes, in the end nobody takes more.
func fill(c *net.TCPConn) {
	p := make([]byte, 64<<10)
	for {
		if _, err := c.Write(p); err != nil {
			return
		}
	}
}

// A client that does not read holds a pipe, or memory when there are none left,
// and nothing of others; the limit ends it, and what it held is free again.
func TestAClientThatDoesNotRead(t *testing.T) {
	for name, o := range map[string]Options{"pages": {Loops: 1, Pipes: 2}, "bytes": {Loops: 1, Copy: true}, "lane": {Loops: 1, Pipes: 2, MaxAdded: 20 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			j := New(o)
			defer j.Close()
			var stuck []*joined
			var filling sync.WaitGroup
			defer filling.Wait()
			for range 5 {
				x := join(t, j, Pair{Stall: time.Second})
				filling.Go(func() { fill(x.server) })
				eventually(t, "the client takes no more", func() bool { return x.down.waiting.Load() })
				stuck = append(stuck, x)
			}
			if p := j.Stats().Pipes; p > 2 {
				t.Errorf("%d pipes lent of 2", p)
			}
			fine := join(t, j, Pair{Stall: time.Minute})
			feed(t, fine, make([]byte, 8<<20))
			for _, x := range stuck {
				if e := x.wait(t); e.By != ByClient || e.Err != ErrStalled {
					t.Errorf("ended %+v, want the client's stall", e)
				}
			}
			feed(t, fine, make([]byte, 1<<20))
			eventually(t, "the pipes are back", func() bool { return j.Stats().Pipes == 0 })
		})
	}
}

// A loop takes a server that sends often and little into the lane, and out again when that falls silent.
func TestChattyServersComeAndGo(t *testing.T) {
	j := New(Options{MaxAdded: 40 * time.Millisecond})
	defer j.Close()
	x := join(t, j, Pair{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, x.client)
	}()
	eventually(t, "it is in the lane", func() bool {
		x.server.Write(make([]byte, 100))
		return j.Stats().InLane == 1
	})
	eventually(t, "it has left the lane", func() bool { return j.Stats().InLane == 0 })
	x.server.Close()
	<-done
	x.client.Close()
	x.wait(t)
}

// A server's silence is from its last word on, and none while the client takes nothing: nobody
// listens to the server then.
func TestSilenceOfAServer(t *testing.T) {
	j := New(Options{})
	defer j.Close()
	quiet, deaf := join(t, j, Pair{}), join(t, j, Pair{})
	feed(t, quiet, make([]byte, 100))
	// Until something waits, and no further: the server has nothing more to say when it is heard again.
	for n := 0; !deaf.down.waiting.Load(); {
		k, err := deaf.server.Write(make([]byte, 32<<10))
		if err != nil {
			t.Fatal(err)
		}
		n += k
		eventually(t, "it is moved", func() bool { return deaf.down.waiting.Load() || deaf.down.bytes.Load() == int64(n) })
	}
	const long = 300 * time.Millisecond
	eventually(t, "the silent one is known to be", func() bool { return quiet.ServerSilence() > long })
	if s := deaf.ServerSilence(); s != 0 {
		t.Errorf("one that is not listened to is silent for %v", s)
	}
	from, before := time.Since(deaf.loop.began), quiet.down.heardAt.Load()
	feed(t, quiet, make([]byte, 100)) // whatever the loop looks at behind this is later than from
	go io.Copy(io.Discard, deaf.client)
	eventually(t, "it is listened to", func() bool { return !deaf.down.waiting.Load() })
	if heard := time.Duration(deaf.down.heardAt.Load()); heard < from {
		t.Errorf("one that was not listened to is silent since %v before that ended", from-heard)
	}
	eventually(t, "it is heard", func() bool { return quiet.down.heardAt.Load() > before })
	for _, x := range []*joined{quiet, deaf} {
		x.client.Close()
		x.server.Close()
		x.wait(t)
	}
}
