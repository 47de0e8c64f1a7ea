package relay_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/bench/stamp"
	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// source writes a stamped stream into a hub of its own, as a front does with a
// carried publisher.
type source struct {
	hub    *live.Hub
	stream *live.Stream
	writer *live.Writer
	feed   *stamp.Source
	start  time.Time
}

func newSource(t *testing.T) *source {
	s := &source{hub: live.NewHub(live.Options{Pumps: 1}), feed: stamp.NewSource(alice.String(), 1, mediatest.Shape), start: time.Now()}
	s.stream = s.hub.Open(alice)
	w, err := s.stream.Attach(live.Source{Timeline: "t"})
	if err != nil {
		t.Fatal(err)
	}
	s.writer = w
	t.Cleanup(func() {
		w.Close()
		s.stream.Release()
		s.hub.Close()
	})
	for _, f := range s.feed.Headers() {
		s.write(f)
	}
	return s
}

func (s *source) write(f stamp.Frame) {
	s.writer.Write(rtmp.MessageType(f.Type), uint32(f.Timestamp), f.Payload)
}

// elapse publishes for d.
func (s *source) elapse(d time.Duration) {
	until := time.Now().Add(d)
	for {
		at := s.start.Add(s.feed.Due())
		if at.After(until) {
			break
		}
		time.Sleep(time.Until(at))
		s.write(s.feed.Next(nil, at))
	}
	elapse(time.Until(until))
}

func pushTo(w *mediatest.World, n *mediatest.Node, name stream.Name) relay.PushOptions {
	return relay.PushOptions{Dial: w.Net.Dial, Addr: n.Addr, Node: "front", Secret: w.Secret, Path: name.String(),
		Extra:   member.PublishExtra{Timeline: "t", Hops: 1},
		Connect: rtmp.Connect{App: "weir", TCURL: "rtmp://" + n.Addr + "/weir"}}
}

// run runs a push until the test stops it.
func run(t *testing.T, p *relay.Push, s *source) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, s.stream) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func TestPushIsAcceptedAndCarriesAllFromTheKeyFrame(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin := w.Start("origin")
		s := newSource(t)
		s.elapse(1500 * time.Millisecond) // a GOP and a half before
		p, err := relay.OpenPush(t.Context(), pushTo(w, origin, alice))
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, p, s)
		s.elapse(time.Second)
		v := w.View(origin, alice, nil)
		s.elapse(3 * time.Second)
		healthy(t, v)
		if err := stop(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if origin.Ingest.Len() != 0 || len(event.Of[event.PublishEnded](origin.Rec)) != 1 {
			t.Error("the origin still has the publication")
		}
	})
}

func TestPushIsRefusedWithTheServersOwnWord(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin := w.Start("origin")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		_, err := relay.OpenPush(t.Context(), pushTo(w, origin, alice))
		var refused *relay.RefusedError
		if !errors.As(err, &refused) || refused.Code != rtmp.CodePublishBadName {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if n := origin.Sessions.Len(); n != 1 {
			t.Errorf("%d sessions are left, want the publisher's", n)
		}
	})
}

func TestPushToNobody(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin := w.Start("origin")
		w.Net.Blackhole(origin.Addr, true)
		began := time.Now()
		if _, err := relay.OpenPush(t.Context(), pushTo(w, origin, alice)); err == nil || time.Since(began) > relay.DialTimeout+relay.AnswerTimeout {
			t.Errorf("a black hole: %v after %v", err, time.Since(began))
		}
		// It listens and says nothing.
		w.Net.Blackhole(origin.Addr, false)
		w.Net.Faults = func(string) testnet.Faults { return testnet.Faults{Delay: time.Hour} }
		began = time.Now()
		if _, err := relay.OpenPush(t.Context(), pushTo(w, origin, alice)); err == nil || time.Since(began) > relay.DialTimeout+relay.AnswerTimeout {
			t.Errorf("a mute server: %v after %v", err, time.Since(began))
		}
	})
}

func TestPushHearsOfItsServersEnd(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(origin *mediatest.Node, l *testnet.Link)
		want error
		in   time.Duration
	}{
		{"reset in mid-message", func(_ *mediatest.Node, l *testnet.Link) { l.ResetAt(testnet.Up, l.Sent(testnet.Up)+777) }, relay.ErrLost, time.Second},
		{"closed", func(o *mediatest.Node, _ *testnet.Link) { go o.Stop() }, nil, time.Second},
		{"cut", func(_ *mediatest.Node, l *testnet.Link) { l.Cut() }, relay.ErrPeerSilent, noticed},
		{"taking nothing", func(_ *mediatest.Node, l *testnet.Link) { l.Stall(testnet.Up) }, relay.ErrPeerSilent, noticed},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, func(t *testing.T, w *mediatest.World) {
				origin := w.Start("origin")
				s := newSource(t)
				p, err := relay.OpenPush(t.Context(), pushTo(w, origin, alice))
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- p.Run(t.Context(), s.stream) }()
				s.elapse(2 * time.Second)
				c.do(origin, w.Net.Links(origin.Addr)[0])
				s.elapse(c.in)
				select {
				case err := <-ended:
					if err == nil || c.want != nil && !errors.Is(err, c.want) {
						t.Errorf("ended with %v", err)
					}
				default:
					t.Errorf("still running after %v", c.in)
					p.Close()
					<-ended
				}
			})
		})
	}
}
