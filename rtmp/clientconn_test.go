package rtmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"weir/amf"
)

// dialogue is a client that is connected to a server, which serve holds.
func dialogue(t *testing.T, o Options, serve func(*ServerConn) error) *ClientConn {
	t.Helper()
	a, b := tcpPair(t)
	done := make(chan error, 1)
	go func() {
		s := NewServerConn(a, o)
		err := s.Handshake()
		if err == nil {
			_, err = s.ReadConnect()
		}
		if err == nil {
			err = serve(s)
		}
		a.Close()
		done <- err
	}()
	c := NewClientConn(b, Options{})
	t.Cleanup(func() {
		b.Close()
		if err := <-done; err != nil && err != io.EOF && !errors.Is(err, net.ErrClosed) {
			t.Errorf("server: %v", err)
		}
	})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

// acceptAll is a server that accepts what is not named no, and sends two messages
// to whoever plays.
func acceptAll(s *ServerConn) error {
	if err := s.AcceptConnect(nil); err != nil {
		return err
	}
	for {
		ev, err := s.Next()
		if err != nil {
			return err
		}
		switch ev.Kind {
		case EventPublish:
			if ev.Publish.Name == "no" {
				err = s.RejectPublish(ev.Publish, CodePublishBadName, "taken")
			} else {
				err = s.AcceptPublish(ev.Publish, nil)
			}
		case EventPlay:
			if ev.Play.Name == "no" {
				err = s.RejectPlay(ev.Play, CodePlayStreamNotFound, "absent")
				break
			}
			frame := Message{Type: Video, StreamID: ev.StreamID, Payload: []byte(ev.Play.Name)}
			b := s.AppendAcceptPlay(nil, ev.Play, nil)
			b = AppendMessage(AppendMessage(b, &frame, s.ChunkSize()), &frame, s.ChunkSize())
			err = s.WriteRaw(b)
		case EventCommand:
			if ev.Command.Arg(0) == "bad" {
				err = s.ReplyError(ev.Command, CodeCallFailed, "bad")
			} else {
				err = s.Reply(ev.Command, ev.Command.Args...)
			}
		}
		if err != nil {
			return err
		}
	}
}

// read runs Next until it fails and counts media by stream.
func read(c *ClientConn) (media func() map[uint32]int) {
	got := map[uint32]int{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			ev, err := c.Next()
			if err != nil {
				return
			}
			if ev.Kind == EventMedia && ev.Message.Type == Video {
				got[ev.StreamID]++
			}
		}
	}()
	return func() map[uint32]int { c.Close(); <-done; return got }
}

// Many goroutines share one connection, each with a NetStream of its own.
func TestManyStreamsOnOneConnection(t *testing.T) {
	c := dialogue(t, Options{Limits: Limits{NetStreams: 100}, HandUp: []string{"echo"}}, acceptAll)
	if _, err := c.Connect(&Connect{App: "live", TCURL: "rtmp://h/live"}); err != nil {
		t.Fatal(err)
	}
	media := read(c)
	var wg sync.WaitGroup
	var mu sync.Mutex
	playing := map[uint32]bool{}
	for g := range 50 {
		wg.Go(func() {
			ctx := t.Context()
			id, err := c.CreateStream(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			name := fmt.Sprint("s", g)
			switch g % 5 {
			case 0:
				st, err := c.Publish(ctx, id, name, "live")
				if err != nil || st.Code != CodePublishStart {
					t.Error(st, err)
				}
			case 1:
				st, err := c.Publish(ctx, id, "no", "live")
				if err != nil || st.Code != CodePublishBadName || st.Level != LevelError {
					t.Error(st, err)
				}
			case 2:
				st, err := c.Play(ctx, id, "no")
				if err != nil || st.Code != CodePlayStreamNotFound {
					t.Error(st, err)
				}
			case 3:
				r, err := c.Call(ctx, id, "echo", name)
				if err != nil || r.Error || len(r.Args) != 1 || r.Args[0] != name {
					t.Error(r, err)
				}
				if r, err = c.Call(ctx, id, "echo", "bad"); err != nil || !r.Error {
					t.Error(r, err)
				}
				if r, err = c.Call(ctx, 0, "nobody knows it"); err != nil || !r.Error || parseStatus(r.Args).Code != CodeCallFailed {
					t.Error(r, err)
				}
			case 4:
				st, err := c.Play(ctx, id, name)
				if err != nil || st.Code != CodePlayStart {
					t.Error(st, err)
				}
				mu.Lock()
				playing[id] = true
				mu.Unlock()
				return
			}
			if err := c.DeleteStream(id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// A call behind everything: what the plays sent has been read by its answer.
	if _, err := c.Call(t.Context(), 0, "echo", "x"); err != nil {
		t.Error(err)
	}
	for id, n := range media() {
		if !playing[id] || n != 2 {
			t.Errorf("stream %d: %d messages", id, n)
		}
		delete(playing, id)
	}
	if len(playing) != 0 {
		t.Errorf("nothing for %v", playing)
	}
	if len(c.calls)+len(c.answers) != 0 {
		t.Errorf("%d calls and %d answers are waited for still", len(c.calls), len(c.answers))
	}
}

func TestClientLikeAnEncoder(t *testing.T) {
	heard := make(chan string, 10)
	c := dialogue(t, Options{HandUp: []string{"releaseStream", "FCPublish", "FCUnpublish"}}, func(s *ServerConn) error {
		if err := s.AcceptConnect(nil); err != nil {
			return err
		}
		for {
			ev, err := s.Next()
			if err != nil {
				return err
			}
			switch ev.Kind {
			case EventCommand:
				heard <- ev.Command.Name
				if err := s.Reply(ev.Command); err != nil {
					return err
				}
			case EventClose:
				close(heard)
				return nil
			case EventPublish:
				if err := s.AcceptPublish(ev.Publish, nil); err != nil {
					return err
				}
			}
		}
	})
	if _, err := c.Connect(&Connect{App: "live"}); err != nil {
		t.Fatal(err)
	}
	wait := read(c)
	id, err := c.CreatePublishStream(t.Context(), "a")
	if err != nil || id != 1 {
		t.Fatal(id, err)
	}
	if st, err := c.Publish(t.Context(), id, "a", "live"); err != nil || st.Code != CodePublishStart {
		t.Fatal(st, err)
	}
	if err := c.DeletePublishStream(id, "a"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range heard { // until the stream is closed
		names = append(names, name)
	}
	if got := strings.Join(names, " "); got != "releaseStream FCPublish FCUnpublish" {
		t.Error(got)
	}
	wait()
}

func TestClientHearsThatItWasRefused(t *testing.T) {
	c := dialogue(t, Options{}, func(s *ServerConn) error {
		return s.RejectConnect("go there", amf.Object{{Key: "ex", Value: amf.Object{{Key: "code", Value: 302}, {Key: "redirect", Value: "rtmp://there/live"}}}})
	})
	_, err := c.Connect(&Connect{App: "live"})
	var refused *StatusError
	if !errors.As(err, &refused) || refused.Status.Code != CodeConnectRejected || refused.Status.Description != "go there" {
		t.Fatal(err)
	}
	if ex, _ := amf.Properties(refused.Status.Info.Get("ex")); ex.String("redirect") != "rtmp://there/live" {
		t.Error(refused.Status.Info)
	}
}

// A refusal may come as _error, and a status without a stream id.
func TestClientUnderstandsOddAnswers(t *testing.T) {
	odd := map[string]*Command{
		"error": {Name: "_error", Args: []any{statusInfo(LevelError, CodePublishDenied, "no", nil)}},
		"zero":  {Name: "onStatus", Args: []any{statusInfo(LevelStatus, CodePublishStart, "yes", nil)}},
	}
	c := dialogue(t, Options{HandUp: []string{"publish"}}, func(s *ServerConn) error {
		if err := s.AcceptConnect(nil); err != nil {
			return err
		}
		for {
			ev, err := s.Next()
			if err != nil {
				return err
			}
			name, _ := ev.Command.String(0)
			if err := s.Reply(&Command{Transaction: 77}); err != nil { // an answer that nobody asked for
				return err
			}
			answer := *odd[name]
			if answer.Name == "_error" {
				answer.Transaction = ev.Command.Transaction
			} else if err := s.Reply(ev.Command); err != nil {
				return err
			}
			if err := s.command(&answer); err != nil {
				return err
			}
		}
	})
	if _, err := c.Connect(&Connect{App: "live"}); err != nil {
		t.Fatal(err)
	}
	if id, err := c.CreateStreamNow(); err != nil || id != 1 {
		t.Fatal(id, err)
	}
	wait := read(c)
	for name, want := range map[string]string{"error": CodePublishDenied, "zero": CodePublishStart} {
		if st, err := c.Publish(t.Context(), 1, name, "live"); err != nil || st.Code != want {
			t.Errorf("%s: %+v %v", name, st, err)
		}
	}
	wait()
}

func TestClientWaitersEnd(t *testing.T) {
	asked := make(chan struct{})
	c := dialogue(t, Options{HandUp: []string{"publish", "createStream", "play"}}, func(s *ServerConn) error {
		if err := s.AcceptConnect(nil); err != nil {
			return err
		}
		for i := 0; ; i++ {
			if _, err := s.Next(); err != nil {
				return err
			}
			if asked <- struct{}{}; i == 4 {
				return nil // says nothing and goes
			}
		}
	})
	if _, err := c.Connect(&Connect{App: "live"}); err != nil {
		t.Fatal(err)
	}
	wait := read(c)
	why := errors.New("no more patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := c.CreateStream(ctx); err != why {
				t.Error(err)
			}
		})
	}
	<-asked
	<-asked
	cancel(why)
	wg.Wait()
	wg.Go(func() {
		if _, err := c.CreateStream(t.Context()); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if _, err := c.Publish(t.Context(), 1, "a", "live"); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if _, err := c.Play(t.Context(), 2, "a"); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
	for range 3 {
		<-asked
	}
	wg.Wait()
	wait()
	if _, err := c.Play(t.Context(), 2, "a"); err == nil {
		t.Error("a play on a lost connection")
	}
	if len(c.calls)+len(c.answers) != 0 {
		t.Error("something is waited for still")
	}
}

func TestServerSaysClose(t *testing.T) {
	c := dialogue(t, Options{}, func(s *ServerConn) error {
		if err := s.AcceptConnect(nil); err != nil {
			return err
		}
		return s.command(&Command{Name: "close"})
	})
	if _, err := c.Connect(&Connect{App: "live"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(); err != ErrClosed {
		t.Error(err)
	}
}

// A client that was asked to come back elsewhere hears of it.
func TestReconnectRequest(t *testing.T) {
	c := dialogue(t, Options{}, func(s *ServerConn) error {
		if err := s.AcceptConnect(nil); err != nil {
			return err
		}
		return s.RequestReconnect("rtmp://there/live", "this server drains")
	})
	if _, err := c.Connect(&Connect{App: "live", CapsEx: CapsReconnect}); err != nil {
		t.Fatal(err)
	}
	ev, err := c.Next()
	if err != nil || ev.Kind != EventStatus || ev.Status.Code != CodeReconnect || ev.Status.Info.String("tcUrl") != "rtmp://there/live" {
		t.Error(ev, err)
	}
}

func TestConnectIsOneWrite(t *testing.T) {
	answer := AppendCommandMessage(nil, &Command{Name: "_result", Transaction: 1, Args: []any{statusInfo(LevelStatus, CodeConnectSuccess, "", nil)}}, DefaultInChunkSize)
	nc := newScripted(answer)
	c := NewClientConn(nc, Options{})
	if _, err := c.Connect(&Connect{App: "live", TCURL: "rtmp://h/live", FlashVer: strings.Repeat("x", 500)}); err != nil {
		t.Fatal(err)
	}
	ms, err := decodeAll(NewDecoder(Limits{}), nc.out[0], whole)
	if err != nil || nc.writes[0] != 1 || len(ms) != 2 || ms[0].Type != SetChunkSize || ms[1].Type != CommandAMF0 {
		t.Errorf("%d writes, %v %v", nc.writes[0], ms, err)
	}
}
