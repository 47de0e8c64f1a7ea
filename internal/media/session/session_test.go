package session_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"weir/internal/media/mediatest"
	"weir/internal/media/member"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	alice = stream.Name{App: "live", Stream: "alice"}
	bob   = stream.Name{App: "live", Stream: "bob"}
)

func in(t *testing.T, f func(t *testing.T, w *mediatest.World)) {
	synctest.Test(t, func(t *testing.T) { f(t, mediatest.NewWorld(t)) })
}

func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// client is an RTMP client by hand. What the server says is counted by a
// goroutine of its own, once connect is through.
type client struct {
	*rtmp.ClientConn
	t     *testing.T
	heard chan rtmp.Status
	ended chan error

	mu    sync.Mutex
	media map[uint32]int // by message stream
}

func dial(t *testing.T, w *mediatest.World, n *mediatest.Node) *client {
	t.Helper()
	nc, err := w.Net.Dial(t.Context(), n.Addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{ClientConn: rtmp.NewClientConn(nc, rtmp.Options{}), t: t, heard: make(chan rtmp.Status, 64), media: make(map[uint32]int), ended: make(chan error, 1)}
	t.Cleanup(func() { c.Close() })
	return c
}

func connect(t *testing.T, w *mediatest.World, n *mediatest.Node) *client {
	t.Helper()
	c := dial(t, w, n)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://" + n.Addr + "/live"}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			ev, err := c.Next()
			if err != nil {
				c.ended <- err
				return
			}
			switch ev.Kind {
			case rtmp.EventMedia:
				c.mu.Lock()
				c.media[ev.StreamID]++
				c.mu.Unlock()
			case rtmp.EventStatus:
				c.heard <- *ev.Status
			}
		}
	}()
	return c
}

// got is how much media came on a message stream so far.
func (c *client) got(id uint32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.media[id]
}

// stream makes a NetStream.
func (c *client) stream() uint32 {
	c.t.Helper()
	id, err := c.CreateStream(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// says sends a command on a NetStream and wants a status in answer.
func (c *client) says(id uint32, want, name string, args ...any) {
	c.t.Helper()
	if err := c.Send(id, name, args...); err != nil {
		c.t.Fatal(err)
	}
	c.hears(want)
}

func (c *client) hears(want string) {
	c.t.Helper()
	for {
		select {
		case s := <-c.heard:
			if s.Code == rtmp.CodePlayReset {
				continue
			}
			if s.Code != want {
				c.t.Errorf("heard %s, want %s", s.Code, want)
			}
		case <-time.After(time.Minute):
			c.t.Errorf("heard nothing for a minute, want %s", want)
		}
		return
	}
}

func (c *client) sound(id uint32, ts uint32) error {
	return c.WriteMessage(&rtmp.Message{Type: rtmp.Audio, StreamID: id, Timestamp: ts, Payload: []byte{0x2f, 1, 2, 3}})
}

// closing returns the closing lines of a node.
func closing(n *mediatest.Node) []event.SessionClosed { return event.Of[event.SessionClosed](n.Rec) }

func TestP4DeadlinesAreAbsolute(t *testing.T) {
	for _, c := range []struct {
		what   string
		do     func(c *client)
		after  time.Duration
		reason event.Reason
	}{
		{"says nothing", func(*client) {}, 5 * time.Second, event.HandshakeTimeout},
		{"drips its handshake", func(c *client) {
			go func() {
				for range 1000 {
					if _, err := c.NetConn().Write([]byte{3}); err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			}()
		}, 5 * time.Second, event.HandshakeTimeout},
		{"shakes hands and says nothing", func(c *client) { c.Handshake() }, 5 * time.Second, event.HandshakeTimeout},
		{"connects and only pings", func(c *client) {
			c.Handshake()
			c.Connect(&rtmp.Connect{App: "live"})
			go func() {
				for c.Ping(1) == nil {
					time.Sleep(time.Second)
				}
			}()
		}, mediatest.Command, event.CommandTimeout},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, func(t *testing.T, w *mediatest.World) {
				n := w.Start("n")
				c.do(dial(t, w, n))
				elapse(c.after - time.Millisecond)
				if len(closing(n)) != 0 {
					t.Fatalf("closed early: %+v", closing(n))
				}
				elapse(2 * time.Millisecond)
				if l := closing(n); len(l) != 1 || l[0].Reason != c.reason || l[0].EndedBy != event.ByServer {
					t.Errorf("closing lines: %+v", l)
				}
				elapse(2 * time.Second) // until the client has seen it
			})
		})
	}
}

func TestP4OneAddressHasALimitOfItsOwn(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		var first net.Conn
		for i := range 257 {
			c, err := w.Net.Dial(t.Context(), n.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if i == 0 {
				first = c
			}
		}
		synctest.Wait()
		refused := event.Of[event.Refused](n.Rec)
		if len(refused) != 1 || refused[0].Reason != event.TooManyOfOne || n.Sessions.Len() != 256 {
			t.Fatalf("refused %+v, %d sessions", refused, n.Sessions.Len())
		}
		other, err := w.Net.DialFrom(t.Context(), "198.51.100.7", n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		synctest.Wait()
		if n.Sessions.Len() != 257 {
			t.Error("another address suffers for it")
		}
		first.Close()
		synctest.Wait()
		again, _ := w.Net.Dial(t.Context(), n.Addr)
		defer again.Close()
		synctest.Wait()
		if n.Sessions.Len() != 257 || len(event.Of[event.Refused](n.Rec)) != 1 {
			t.Error("a place that was given back is not given again")
		}
	})
}

func TestManyNetStreamsOnOneConnection(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		c := connect(t, w, n)
		pub, one, two := c.stream(), c.stream(), c.stream()
		c.says(pub, rtmp.CodePublishStart, "publish", "alice", "live")
		c.sound(pub, 0)
		c.says(one, rtmp.CodePlayStart, "play", "alice")
		c.says(two, rtmp.CodePlayStart, "play", "alice")
		for ts := range uint32(100) {
			c.sound(pub, ts*20)
		}
		synctest.Wait()
		if c.got(one) < 100 || c.got(two) < 100 {
			t.Errorf("the plays got %d and %d messages", c.got(one), c.got(two))
		}
		// One ends; the others do not.
		if err := c.DeleteStream(one); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before, got := c.got(one), c.got(two)
		c.sound(pub, 3000)
		synctest.Wait()
		if c.got(one) != before || c.got(two) != got+1 {
			t.Errorf("after the end of one: %d and %d more", c.got(one)-before, c.got(two)-got)
		}
		// Another stream in its place.
		w.Publish(n, bob, 1)
		elapse(time.Second)
		c.says(two, rtmp.CodePlayStart, "play", "bob") // play2's case: in place of alice
		elapse(time.Second)
		if c.got(two) < got+60 {
			t.Errorf("bob brought %d messages", c.got(two)-got)
		}
		c.says(pub, rtmp.CodeUnpublish, "closeStream")
		synctest.Wait()
		if n.Ingest.Len() != 1 {
			t.Errorf("%d publications, want bob's", n.Ingest.Len())
		}
	})
}

func TestPlayCloseStreamPlayAnother(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		w.Publish(n, alice, 1)
		w.Publish(n, bob, 1)
		elapse(time.Second)
		c := connect(t, w, n)
		id := c.stream()
		for range 5 {
			for _, name := range []string{"alice", "bob"} {
				c.says(id, rtmp.CodePlayStart, "play", name)
				before := c.got(id)
				elapse(time.Second)
				if c.got(id) < before+60 {
					t.Fatalf("%s brought %d messages", name, c.got(id)-before)
				}
				c.Send(id, "closeStream")
				elapse(time.Millisecond)
				before = c.got(id)
				elapse(time.Second)
				if c.got(id) != before {
					t.Fatal("media after closeStream")
				}
			}
		}
	})
}

func TestPauseAndReceiveBeforeAndWhilePlaying(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Wait = time.Minute
		n := w.Start("n")
		c := connect(t, w, n)
		id := c.stream()
		// Wished while the stream is still waited for.
		c.Send(id, "play", "alice")
		c.Send(id, "receiveVideo", false)
		c.Send(id, "receiveAudio", false)
		elapse(time.Second)
		w.Publish(n, alice, 1)
		c.hears(rtmp.CodePlayStart)
		elapse(5 * time.Second)
		if got := c.got(id); got > 5 { // headers and the access marker
			t.Errorf("%d messages in spite of receiveAudio and receiveVideo false", got)
		}
		c.Send(id, "receiveVideo", true)
		c.Send(id, "receiveAudio", true)
		elapse(5 * time.Second)
		before := c.got(id)
		if before < 200 {
			t.Errorf("%d messages after all was wanted again", before)
		}
		c.says(id, rtmp.CodePauseNotify, "pause", true, 0)
		synctest.Wait()
		before = c.got(id)
		elapse(5 * time.Second)
		if got := c.got(id) - before; got > 0 {
			t.Errorf("%d messages during the pause", got)
		}
		c.says(id, rtmp.CodeUnpauseNotify, "pause", false, 0)
		elapse(2 * time.Second)
		if got := c.got(id) - before; got < 60 {
			t.Errorf("%d messages after the pause", got)
		}
	})
}

func TestPauseWhileTheStreamIsWaitedFor(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Wait = time.Minute
		n := w.Start("n")
		c := connect(t, w, n)
		id := c.stream()
		c.Send(id, "play", "alice")
		c.says(id, rtmp.CodePauseNotify, "pause", true, 0)
		w.Publish(n, alice, 1)
		c.hears(rtmp.CodePlayStart)
		elapse(3 * time.Second)
		if got := c.got(id); got > 5 {
			t.Errorf("%d messages during the pause", got)
		}
		c.says(id, rtmp.CodeUnpauseNotify, "pause", false, 0)
		elapse(2 * time.Second)
		if got := c.got(id); got < 60 {
			t.Errorf("%d messages after it", got)
		}
	})
}

func TestP1RejectedPublishKeepsNothing(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		w.Publish(n, alice, 1)
		elapse(time.Second)
		for range 20 {
			c := connect(t, w, n)
			id := c.stream()
			c.Send(id, "publish", "alice", "live")
			c.sound(id, 0) // a client that does not wait for the answer
			c.hears(rtmp.CodePublishBadName)
			if err := <-c.ended; err != io.EOF {
				t.Errorf("then: %v", err)
			}
			c.Close()
		}
		elapse(time.Second)
		if n.Sessions.Len() != 1 || n.Ingest.Len() != 1 {
			t.Errorf("%d sessions, %d publications are left", n.Sessions.Len(), n.Ingest.Len())
		}
	})
}

// A command behind the refused one must not keep the session: the first word of
// its end stands.
func TestP5RefusedClientCannotStay(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		w.Publish(n, bob, 1)
		elapse(time.Second)
		c := connect(t, w, n)
		one, two := c.stream(), c.stream()
		c.says(one, rtmp.CodePlayStreamNotFound, "play", "absent")
		for range 50 { // it is told to go, and asks on
			c.Send(two, "play", "bob")
			elapse(100 * time.Millisecond)
		}
		if n.Sessions.Len() != 1 || c.got(two) != 0 {
			t.Errorf("%d sessions, %d messages: the refused client is still served", n.Sessions.Len(), c.got(two))
		}
	})
}

func TestEvictionTellsTheClientAndOnlyItsStream(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		c := connect(t, w, n)
		one, two := c.stream(), c.stream()
		c.says(one, rtmp.CodePublishStart, "publish", "alice", "live")
		c.says(two, rtmp.CodePublishStart, "publish", "bob", "live")
		c.sound(one, 0)
		c.sound(two, 0)
		synctest.Wait()
		p, ok := n.Ingest.Lookup(alice)
		if !ok {
			t.Fatal("not published")
		}
		p.Kick()
		c.sound(one, 20)
		c.hears(rtmp.CodePublishRejected)
		if err := c.sound(two, 20); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if _, ok := n.Ingest.Lookup(bob); !ok || n.Sessions.Len() != 1 {
			t.Fatal("the other publication went with it")
		}
		p, _ = n.Ingest.Lookup(bob)
		p.Kick()
		c.hears(rtmp.CodePublishRejected)
		if err := <-c.ended; err != io.EOF {
			t.Errorf("then: %v", err)
		}
	})
}

// hasty evicts a publisher before its publish has returned.
type hasty struct{ mediatest.Handler }

func (h hasty) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	pub, err := h.Handler.Publish(ctx, p)
	p.Evict(rtmp.CodePublishBadName, event.TakenOver, errors.New("at once"))
	return pub, err
}

func TestEvictionBeforeTheAnswerIsTheAnswer(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.StartWith("n", func(n *mediatest.Node) session.Handler { return hasty{mediatest.Handler{Node: n}} })
		c := connect(t, w, n)
		c.says(c.stream(), rtmp.CodePublishBadName, "publish", "alice", "live")
		if err := <-c.ended; err != io.EOF {
			t.Errorf("then: %v", err)
		}
		c.Close()
		elapse(time.Second)
		if n.Ingest.Len() != 0 || n.Sessions.Len() != 0 {
			t.Errorf("%d publications, %d sessions are left", n.Ingest.Len(), n.Sessions.Len())
		}
	})
}

func TestCloseTellsEverybodyAndWaits(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Wait = time.Hour
		n := w.Start("n")
		pub, view, wait, idle := connect(t, w, n), connect(t, w, n), connect(t, w, n), connect(t, w, n)
		id := pub.stream()
		pub.says(id, rtmp.CodePublishStart, "publish", "alice", "live")
		pub.sound(id, 0)
		view.says(view.stream(), rtmp.CodePlayStart, "play", "alice")
		wait.Send(wait.stream(), "play", "absent")
		mute := dial(t, w, n)
		synctest.Wait()
		began := time.Now()
		closed := make(chan struct{})
		go func() {
			n.Stop()
			close(closed)
		}()
		pub.hears(rtmp.CodePublishRejected)
		view.hears(rtmp.CodePlayStop)
		wait.hears(rtmp.CodePlayStop)
		for _, c := range []*client{pub, view, wait, idle} {
			if err := <-c.ended; err != io.EOF {
				t.Errorf("the client heard %v", err)
			}
			c.Close()
		}
		mute.Close()
		<-closed
		if d := time.Since(began); d > time.Second {
			t.Errorf("it took %v", d)
		}
		if l := closing(n); len(l) != 5 {
			t.Errorf("%d closing lines", len(l))
		} else {
			for _, e := range l {
				if e.Reason != event.NodeStopping || e.EndedBy != event.ByServer {
					t.Errorf("closing line %+v", e)
				}
			}
		}
		if r := event.Of[event.Refused](n.Rec); len(r) != 0 {
			t.Errorf("refused: %+v", r)
		}
	})
}

func TestCloseDoesNotWaitForAClientThatStays(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		connect(t, w, n)
		synctest.Wait()
		began := time.Now()
		n.Stop()
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestStrangersExtrasAreNotBelieved(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		seen := make(chan session.Publish, 1)
		n := w.StartWith("n", func(n *mediatest.Node) session.Handler { return spy{mediatest.Handler{Node: n}, seen} })
		c := connect(t, w, n)
		c.says(c.stream(), rtmp.CodePublishStart, "publish", "alice", "live",
			member.PublishExtra{Timeline: "forged", Hops: 2, Client: member.Client{Addr: "203.0.113.9:1"}}.Object())
		p := <-seen
		if p.Extra != (member.PublishExtra{}) || p.Member != "" || p.Facts.Addr == "203.0.113.9:1" {
			t.Errorf("believed: %+v", p)
		}
		// Nor may it ask, or get a feed.
		if reply, err := c.Call(t.Context(), 0, member.CommandQuery, "x", ""); err != nil || !reply.Error {
			t.Errorf("the question was answered: %+v, %v", reply, err)
		}
	})
}

type spy struct {
	mediatest.Handler
	seen chan session.Publish
}

func (s spy) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	s.seen <- *p
	return s.Handler.Publish(ctx, p)
}

func TestWrongProofEndsTheSession(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		n := w.Start("n")
		c := dial(t, w, n)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		_, offer := member.Offer([]byte("a guess"), "me")
		if _, err := c.Connect(&rtmp.Connect{App: "weir", Object: offer}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CallNow(member.CommandProve, "forged"); err == nil {
			t.Error("a forged proof was accepted")
		}
		elapse(time.Second)
		if l := closing(n); len(l) != 1 || l[0].Reason != event.Unauthorized {
			t.Errorf("closing lines: %+v", l)
		}
	})
}
