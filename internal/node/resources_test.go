package node_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// A flood from one address stops at the limit of connections an address, and
// nobody else hears of it. The place is free again afterwards.
func TestResourcesFloodFromOneAddress(t *testing.T) {
	const limit, flood = 64, 400
	cfg := quickConfig("n1")
	cfg.Limits.ConnectionsPerAddr = limit
	n := start(t, cfg)
	c := sing(t, n, n)
	t.Run("flood", func(t *testing.T) {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		for range 2 {
			a := newAttack(t, n)
			refused := n.turn.of(event.TooManyOfOne)
			for range flood {
				nc, err := from.Dial("tcp", n.addr)
				if err != nil {
					t.Fatal(err)
				}
				a.conns = append(a.conns, nc)
			}
			if !eventually(patience, func() bool { return n.turn.of(event.TooManyOfOne) == refused+flood-limit }) {
				t.Errorf("%d connections refused, want %d", n.turn.of(event.TooManyOfOne)-refused, flood-limit)
			}
			other := newAttack(t, n)
			other.alive(other.connected())
			other.leave()
			other.closings(clientLeft)
			a.close()
			c.unharmed(t)
		}
	})
}

// Without a free descriptor newcomers wait; what runs, runs on, and the
// newcomers are served as soon as there is one.
func TestResourcesDescriptorsExhausted(t *testing.T) {
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	t.Run("exhausted", func(t *testing.T) {
		var was syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		low := was
		low.Cur = uint64(descriptors(t) + 32)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
			t.Fatal(err)
		}
		var all []*os.File
		free := sync.OnceFunc(func() {
			for _, f := range all {
				f.Close()
			}
			syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was)
			c.waits.reading.Unlock()
		})
		c.waits.reading.Lock()
		defer free()
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				break
			}
			all = append(all, f)
		}
		// One for the client's end. The node's end finds none.
		all[0].Close()
		a := newAttack(t, n)
		nc := a.dial()
		if _, ok := n.log.wait(patience, func(l line) bool {
			return l.n >= a.from && l.msg == "limit hit" && l.attrs["reason"] == "descriptors-exhausted"
		}); !ok {
			t.Error("nothing says that the descriptors are exhausted")
		}
		free()
		conn := rtmp.NewClientConn(nc, rtmp.Options{})
		if err := conn.Handshake(); err != nil {
			t.Errorf("the newcomer was not served afterwards: %v", err)
		}
		a.leave()
		a.closings(clientLeft)
		c.unharmed(t)
	})
}

// Viewers that read nothing are closed for it, one by one, and hold up nobody.
func TestResourcesViewersThatReadNothing(t *testing.T) {
	n := start(t, hastyConfig("n1", limitOf[event.WriteStalled]))
	c := sing(t, n, n)
	t.Run("unread", func(t *testing.T) {
		loud := newAttack(t, n)
		pub := loud.publishing("loud")
		loud.send(pub, rtmp.Video, 0, avcHeader)
		deaf := newAttack(t, n)
		for range 100 {
			v := deaf.playing("loud")
			v.NetConn().(*net.TCPConn).SetReadBuffer(4096)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			key := append(slices.Clone(avcKey), make([]byte, 256<<10)...)
			for ts := uint32(0); ; ts += 40 {
				loud.send(pub, rtmp.Video, ts, key)
				select {
				case <-tick.C:
				case <-stop:
					return
				}
			}
		})
		deaf.closings("write-stalled")
		// One GOP cache of 16 MiB, and what the lag limit keeps: not one of each viewer's.
		if grown := c.grown(); grown > 40<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
		close(stop)
		wg.Wait()
		loud.leave()
		loud.closings(clientLeft)
		c.unharmed(t)
	})
}

// A hundred thousand plays of names that nobody publishes leave nothing behind
// but the bounded memory of absent names.
func TestResourcesPlaysOfAbsentNames(t *testing.T) {
	const plays, workers = 100_000, 8
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	t.Run("absent", func(t *testing.T) {
		a := newAttack(t, n)
		var wg sync.WaitGroup
		var refused atomic.Int64
		for w := range workers {
			// A connection that also publishes is not closed for a play that fails.
			conn := a.publishing(fmt.Sprint("asks-", w))
			id, err := conn.CreateStreamNow()
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(w)))
				for i := range plays / workers {
					if i%100 == 0 {
						conn.WriteMessage(&rtmp.Message{Type: rtmp.Audio, StreamID: 1, Timestamp: uint32(i), Payload: []byte{0x2f, 1}})
					}
					if err := a.ask(conn, id, rtmp.CodePlayStreamNotFound, "play", fmt.Sprintf("%x", rng.Uint64())); err != nil {
						t.Error(err)
						return
					}
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		if refused.Load() != plays {
			t.Errorf("%d of %d plays were answered with not found", refused.Load(), plays)
		}
		// 10,000 names, about 500 bytes each; a state kept per miss would be 50 MB.
		if grown := c.grown(); grown > 16<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
		a.leave()
		a.closings(clientLeft)
		c.unharmed(t)
	})
}

// Sessions that break off in every state, by a goodbye or a reset, come back to
// the baseline.
func TestResourcesAbortedCycles(t *testing.T) {
	const cycles, workers = 12_000, 8
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	states := []struct {
		name string
		into func(a *attack, name string)
	}{
		{"connected to the port", func(a *attack, _ string) { a.dial() }},
		{"in C1", func(a *attack, _ string) { a.say(simpleC0C1()[:700]) }},
		{"after C1", func(a *attack, _ string) { a.say(simpleC0C1()) }},
		{"after the handshake", func(a *attack, _ string) { a.greeted() }},
		{"connect sent", func(a *attack, _ string) { a.greeted().Send(0, "connect") }},
		{"connected", func(a *attack, _ string) { a.connected() }},
		{"stream created", func(a *attack, _ string) { a.connected().CreateStreamNow() }},
		{"publish sent", func(a *attack, name string) {
			conn := a.connected()
			id, _ := conn.CreateStreamNow()
			conn.Send(id, "publish", name, "live")
		}},
		{"publish accepted", func(a *attack, name string) { a.publishing(name) }},
		{"publishing", func(a *attack, name string) {
			conn := a.publishing(name)
			a.send(conn, rtmp.Video, 0, avcHeader)
			a.send(conn, rtmp.Video, 0, avcKey)
		}},
		{"in a media message", func(a *attack, name string) {
			conn := a.publishing(name)
			raw(conn, chunk(0, 6, append(head(0, 1000, rtmp.Video, 1), 0x17)...))
		}},
		{"play sent", func(a *attack, _ string) {
			conn := a.connected()
			id, _ := conn.CreateStreamNow()
			conn.Send(id, "play", "canary")
		}},
		{"playing", func(a *attack, _ string) { a.playing("canary") }},
		{"paused", func(a *attack, _ string) { a.playing("canary").Send(1, "pause", true, 0.0) }},
		{"play of nothing sent", func(a *attack, name string) {
			conn := a.connected()
			id, _ := conn.CreateStreamNow()
			conn.Send(id, "play", name)
		}},
		{"stream closed", func(a *attack, _ string) { a.playing("canary").Send(1, "closeStream") }},
		{"stream deleted", func(a *attack, name string) { a.publishing(name).DeleteStream(1) }},
		{"played again", func(a *attack, _ string) {
			conn := a.playing("canary")
			for range 3 {
				conn.Send(1, "closeStream")
				conn.Send(1, "play", "canary")
			}
		}},
	}
	t.Run("aborts", func(t *testing.T) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < cycles; i += workers {
					a := &attack{t: t, n: n, from: n.log.length()}
					states[i%len(states)].into(a, fmt.Sprint("cycle-", i))
					if i/len(states)%2 == 0 {
						for _, nc := range a.conns {
							nc.(*net.TCPConn).SetLinger(0) // a reset
						}
					}
					a.close()
				}
			})
		}
		wg.Wait()
		c.unharmed(t)
		if grown := c.grown(); grown > 8<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
	})
}
