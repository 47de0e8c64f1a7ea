package splice

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What goes in comes out at the other end, whatever the cuts are and however
// slowly it is taken, in both directions at once.
func TestBytesAreTheSameWhateverTheCuts(t *testing.T) {
	inModes(t, func(t *testing.T, j *Joiner) {
		var toClient, toServer atomic.Int64
		var all sync.WaitGroup
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 7))
			hello := []byte("first ")
			x := join(t, j, Pair{ToClient: hello, ToServer: hello, CountToClient: &toClient, CountToServer: &toServer})
			for _, way := range [][2]*net.TCPConn{{x.client, x.server}, {x.server, x.client}} {
				seed := rng.Uint64()
				all.Go(func() { pump(t, way[0], way[1], hello, seed) })
			}
			all.Go(func() {
				if e := x.wait(t); e.Err != ErrClosed || e.ToClient != size+6 || e.ToServer != size+6 {
					t.Errorf("ended %+v, want both ends served", e)
				}
			})
		}
		all.Wait()
		if toClient.Load() != 8*(size+6) || toServer.Load() != 8*(size+6) {
			t.Errorf("counted %d and %d bytes", toClient.Load(), toServer.Load())
		}
		if st := j.Stats(); st.Sessions != 0 {
			t.Errorf("left: %+v", st)
		}
	})
}

const size = 3 << 20

// pump writes size random bytes to from in random cuts while it reads them, in
// others, from to, and compares. Then it closes its direction.
func pump(t *testing.T, from, to *net.TCPConn, before []byte, seed uint64) {
	var writing sync.WaitGroup
	data := make([]byte, size)
	fill := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	fill.Read(data)
	writing.Go(func() {
		rng := rand.New(rand.NewPCG(seed, 1))
		for p := data; len(p) > 0; {
			n := min(len(p), 1+rng.IntN(1<<(4+rng.IntN(14))))
			if _, err := from.Write(p[:n]); err != nil {
				t.Error(err)
				return
			}
			p = p[n:]
		}
		from.CloseWrite()
	})
	rng := rand.New(rand.NewPCG(seed, 2))
	h, buf, n := sha256.New(), make([]byte, 256<<10), 0
	for {
		k, err := to.Read(buf[:1+rng.IntN(len(buf))])
		h.Write(buf[:k])
		n += k
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Error(err)
			break
		}
	}
	writing.Wait()
	want := sha256.New()
	want.Write(before)
	want.Write(data)
	if n != len(before)+size || !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
		t.Errorf("%d bytes came out, not those that went in", n)
	}
}

// The end of one direction is carried over, and the other goes on.
func TestHalfCloseIsCarriedOver(t *testing.T) {
	inModes(t, func(t *testing.T, j *Joiner) {
		x := join(t, j, Pair{})
		x.client.Write([]byte("question"))
		x.client.CloseWrite()
		if b, err := io.ReadAll(x.server); err != nil || string(b) != "question" {
			t.Fatalf("the server reads %q, %v", b, err)
		}
		x.server.Write([]byte("answer"))
		x.server.Close()
		if b, err := io.ReadAll(x.client); err != nil || string(b) != "answer" {
			t.Fatalf("the client reads %q, %v", b, err)
		}
		if e := x.wait(t); e.By != ByClient || e.Err != ErrClosed || e.ToServer != 8 || e.ToClient != 6 {
			t.Errorf("ended %+v", e)
		}
	})
}

// Who ends a session is named, whichever way he does it.
func TestTheEndNamesWhoAndWhy(t *testing.T) {
	for _, c := range []struct {
		name string
		pair Pair
		do   func(x *joined)
		by   Side
		err  error
	}{
		{"client closes", Pair{}, func(x *joined) { x.client.Close(); io.Copy(io.Discard, x.server); x.server.Close() }, ByClient, ErrClosed},
		{"server closes", Pair{}, func(x *joined) { x.server.Close(); io.Copy(io.Discard, x.client); x.client.Close() }, ByServer, ErrClosed},
		{"client stays after it", Pair{}, func(x *joined) { x.server.Close(); io.Copy(io.Discard, x.client) }, ByServer, ErrLinger},
		{"client is silent", Pair{ClientIdle: 50 * time.Millisecond}, func(x *joined) { io.Copy(io.Discard, x.client); x.client.Close() }, ByClient, ErrIdle},
		{"ended", Pair{}, func(x *joined) { x.End(); io.Copy(io.Discard, x.client); x.client.Close() }, ByUs, ErrEnded},
		{"ended, nobody listens", Pair{}, func(x *joined) { x.End() }, ByUs, ErrEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := New(Options{})
			defer j.Close()
			x := join(t, j, c.pair)
			c.do(x)
			if e := x.wait(t); e.By != c.by || e.Err != c.err {
				t.Errorf("ended by %v: %v; want %v: %v", e.By, e.Err, c.by, c.err)
			}
		})
	}
}

func TestAResetNamesItsSide(t *testing.T) {
	for side, of := range map[Side]func(*joined) *net.TCPConn{
		ByClient: func(x *joined) *net.TCPConn { return x.client }, ByServer: func(x *joined) *net.TCPConn { return x.server },
	} {
		j := New(Options{})
		x := join(t, j, Pair{})
		of(x).SetLinger(0)
		of(x).Close()
		if e := x.wait(t); e.By != side || e.Err == nil || e.Err == ErrClosed {
			t.Errorf("ended by %v: %v, want %v and the system's reason", e.By, e.Err, side)
		}
		j.Close()
	}
}

// What was read for the client before the end reaches it. The loop is the test's: its clock stands still, for what
// the client does not take within [lastWords] is not delivered.
func TestTheEndDeliversWhatWasRead(t *testing.T) {
	for name, o := range modes {
		t.Run(name, func(t *testing.T) {
			l, err := newLoop(&o, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer l.poll.close()
			defer l.pipes.close()
			over := make(chan Ended, 1)
			s := &Session{loop: l, ended: func(e Ended) { over <- e }}
			client, reader := tcpPair(t)
			server, _ := tcpPair(t)
			s.client.side, s.server.side = ByClient, ByServer
			for e, nc := range map[*end]*net.TCPConn{&s.client: client, &s.server: server} {
				if e.fd, err = detach(nc); err != nil {
					t.Fatal(err)
				}
			}
			s.up = flow{s: s, src: &s.client, dst: &s.server}
			s.down = flow{s: s, src: &s.server, dst: &s.client, rest: bytes.Repeat([]byte("x"), 16<<20)}
			l.add(s)
			for !s.down.blocked && len(s.down.rest) > 0 {
				l.visit(&s.down)
			}
			l.end(s, ByUs, ErrEnded)
			read := make(chan int, 1)
			go func() {
				b, err := io.ReadAll(reader)
				if err != nil {
					t.Error(err)
				}
				reader.Close()
				read <- len(b)
			}()
			for !s.over {
				if !s.down.shut {
					l.visit(&s.down)
				} else {
					l.visit(&s.up) // until the client closes
				}
			}
			if n := <-read; n != 16<<20 {
				t.Errorf("the client reads %d bytes", n)
			}
			if e := <-over; e.Err != ErrEnded || e.ToClient != 16<<20 {
				t.Errorf("ended %+v", e)
			}
		})
	}
}

func TestCloseEndsAll(t *testing.T) {
	before := descriptors(t)
	j := New(Options{})
	var all []*joined
	for range 20 {
		all = append(all, join(t, j, Pair{}))
	}
	var closing sync.WaitGroup
	closing.Go(j.Close)
	for _, x := range all {
		io.Copy(io.Discard, x.client)
		x.client.Close()
		x.server.Close()
		if e := x.wait(t); e.By != ByUs || e.Err != ErrEnded {
			t.Errorf("ended %+v", e)
		}
	}
	closing.Wait()
	a, _ := tcpPair(t)
	b, _ := tcpPair(t)
	if _, err := j.Join(Pair{Client: a, Server: b}); err == nil {
		t.Error("joined after Close")
	}
	eventually(t, "all descriptors are closed", func() bool { return descriptors(t) <= before+2 })
}
