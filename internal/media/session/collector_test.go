package session_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// taker is a Handler whose publishers count what they get.
type taker struct {
	come chan *taken
	play players
}

type players func(context.Context, *session.Play) (session.Player, error)

type taken struct {
	name   string
	got    chan uint32 // the numbers in the messages
	closed chan struct{}
	refuse chan struct{} // closed: the next message is refused
}

func (h *taker) Publish(_ context.Context, p *session.Publish) (session.Publisher, error) {
	t := &taken{name: p.Name.Stream, got: make(chan uint32, 100_000), closed: make(chan struct{}), refuse: make(chan struct{})}
	h.come <- t
	return t, nil
}

func (h *taker) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if h.play == nil {
		return nil, errors.New("nothing to play")
	}
	return h.play(ctx, p)
}

func (h *taker) Query(context.Context, string, string) (string, error) { return "", nil }

func (t *taken) Write(m *rtmp.Message) error {
	select {
	case <-t.refuse:
		return &session.Rejection{Code: rtmp.CodePublishBadName, Reason: event.TakenOver}
	default:
	}
	t.got <- binary.BigEndian.Uint32(m.Payload)
	return nil
}

func (t *taken) Close() { close(t.closed) }

// tcp serves on a real socket, with all publishers collected; play may be nil.
func tcp(t *testing.T, play players) (h *taker, dial func(name string) (*rtmp.ClientConn, uint32)) {
	t.Helper()
	h = &taker{come: make(chan *taken, 16), play: play}
	s := serve(t, session.Options{Handler: h, CollectFrom: 1}, nil)
	return h, func(name string) (*rtmp.ClientConn, uint32) {
		t.Helper()
		c := s.connect(t)
		id := netStream(t, c)
		publishes(t, c, id, name)
		return c, id
	}
}

func publishes(t *testing.T, c *rtmp.ClientConn, id uint32, name string) {
	t.Helper()
	if err := c.Send(id, "publish", name, "live"); err != nil {
		t.Fatal(err)
	}
	hear(t, c, rtmp.CodePublishStart)
}

func hear(t *testing.T, c *rtmp.ClientConn, code string) {
	t.Helper()
	for {
		ev, err := c.Next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", code, err)
		}
		if ev.Kind == rtmp.EventStatus && ev.Status.Code == code {
			return
		}
	}
}

func number(id, n uint32, size int) *rtmp.Message {
	p := make([]byte, max(size, 4))
	binary.BigEndian.PutUint32(p, n)
	return &rtmp.Message{Type: rtmp.Audio, StreamID: id, Timestamp: n, Payload: p}
}

// Whatever else a publisher says, each message comes once and in order.
func TestCollectedPublishersLoseNothing(t *testing.T) {
	h, dial := tcp(t, nil)
	const publishers, messages = 8, 2000
	var all sync.WaitGroup
	for range publishers {
		c, id := dial("x")
		pub := <-h.come
		all.Go(func() {
			for n := range uint32(messages) {
				size := 4
				switch {
				case n%500 == 7:
					size = 300_000 // more than one visit, and than the receive buffer
				case n%100 == 3:
					// Owed answers: a goroutine's work in between.
					c.WriteMessage(&rtmp.Message{Type: rtmp.UserControl, Payload: rtmp.AppendUserControl(nil, rtmp.PingRequest, n)[12:]})
				case n%250 == 9:
					c.Send(0, "FCSubscribe", "y")
				}
				if err := c.WriteMessage(number(id, n, size)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		all.Go(func() {
			for n := range uint32(messages) {
				if got := <-pub.got; got != n {
					t.Errorf("message %d came when %d was due", got, n)
					return
				}
			}
		})
	}
	all.Wait()
}

// A collected connection can end its publish and begin another.
func TestCollectedPublisherPublishesAgain(t *testing.T) {
	h, dial := tcp(t, nil)
	c, id := dial("x")
	first := <-h.come
	c.WriteMessage(number(id, 1, 4))
	if got := <-first.got; got != 1 {
		t.Error(got)
	}
	c.Send(id, "closeStream")
	<-first.closed
	publishes(t, c, id, "y")
	second := <-h.come
	c.WriteMessage(number(id, 2, 4))
	if got := <-second.got; got != 2 || second.name != "y" {
		t.Error(got, second.name)
	}
	c.Close()
	<-second.closed
}

// A refused message ends the publication and tells the client.
func TestCollectedPublisherHearsOfItsEnd(t *testing.T) {
	h, dial := tcp(t, nil)
	c, id := dial("x")
	pub := <-h.come
	c.WriteMessage(number(id, 1, 4))
	<-pub.got
	close(pub.refuse)
	c.WriteMessage(number(id, 2, 4))
	hear(t, c, rtmp.CodePublishBadName)
	<-pub.closed
}

// One that asks for answers and takes none holds up no other.
func TestP4CollectorsDoNotWaitForAClient(t *testing.T) {
	h, dial := tcp(t, nil)
	var others []*rtmp.ClientConn
	var ids []uint32
	var pubs []*taken
	for range 4 { // on every collector
		c, id := dial("x")
		others, ids, pubs = append(others, c), append(ids, id), append(pubs, <-h.come)
	}
	deaf, id := dial("deaf")
	<-h.come
	loud, _ := dial("loud") // sends what nobody has asked for
	<-h.come
	flood, stop := context.WithCancel(t.Context())
	defer stop()
	var flooding sync.WaitGroup
	flooding.Go(func() {
		// Each pair of messages is answered by some 300 bytes.
		for flood.Err() == nil {
			deaf.NetConn().SetWriteDeadline(time.Now().Add(time.Second))
			if deaf.Send(id, "FCSubscribe", "y") != nil {
				return // nobody reads it any more
			}
		}
	})
	flooding.Go(func() {
		for flood.Err() == nil {
			loud.NetConn().SetWriteDeadline(time.Now().Add(time.Second))
			if loud.WriteMessage(number(99, 0, 60_000)) != nil {
				return
			}
		}
	})
	for n := range uint32(20) {
		for i, c := range others {
			if err := c.WriteMessage(number(ids[i], n, 4)); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-pubs[i].got:
				if got != n {
					t.Fatalf("%d, want %d", got, n)
				}
			case <-time.After(time.Minute):
				t.Fatalf("message %d of publisher %d was not taken", n, i)
			}
		}
	}
	stop()
	deaf.Close()
	loud.Close()
	flooding.Wait()
}
