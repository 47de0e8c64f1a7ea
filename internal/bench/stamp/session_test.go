package stamp

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"weir/rtmp"
)

// server is the least that a publisher and its viewers need: it accepts one
// publisher a key and passes messages on as they come.
type server struct {
	addr string

	mu      sync.Mutex
	busy    map[string]bool
	viewers map[*rtmp.ServerConn]uint32 // stream id
}

func startServer(t *testing.T) *server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String(), busy: map[string]bool{}, viewers: map[*rtmp.ServerConn]uint32{}}
	var wg sync.WaitGroup
	var conns sync.Map
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns.Store(nc, nil)
			wg.Go(func() {
				defer nc.Close()
				_ = s.serve(nc)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Range(func(nc, _ any) bool { nc.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return s
}

func (s *server) serve(nc net.Conn) error {
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if err := c.Handshake(); err != nil {
		return err
	}
	if _, err := c.ReadConnect(); err != nil {
		return err
	}
	if err := c.AcceptConnect(nil); err != nil {
		return err
	}
	published := ""
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.viewers, c)
		delete(s.busy, published)
	}()
	for {
		ev, err := c.Next()
		if err != nil {
			return err
		}
		switch ev.Kind {
		case rtmp.EventPublish:
			s.mu.Lock()
			taken := s.busy[ev.Publish.Name]
			s.busy[ev.Publish.Name] = true
			s.mu.Unlock()
			if taken {
				err = c.RejectPublish(ev.Publish, rtmp.CodePublishBadName, "busy")
			} else {
				published = ev.Publish.Name
				err = c.AcceptPublish(ev.Publish, nil)
			}
		case rtmp.EventPlay:
			err = s.play(c, ev.Play)
		case rtmp.EventMedia:
			s.forward(ev.Message)
		}
		if err != nil {
			return err
		}
	}
}

func (s *server) play(c *rtmp.ServerConn, p *rtmp.PlayRequest) error {
	if err := c.AcceptPlay(p, nil); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewers[c] = p.StreamID
	return nil
}

// forward passes a message on as it comes: a viewer must be there first.
func (s *server) forward(m *rtmp.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, id := range s.viewers {
		own := *m
		own.StreamID, own.ChunkStream = id, 0
		_ = c.WriteMessage(&own)
	}
}

func TestPublisherToViewer(t *testing.T) {
	s := startServer(t)
	url := "rtmp://" + s.addr + "/live/a"
	v, err := NewViewer(ViewOptions{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	viewing := make(chan error, 1)
	go func() { viewing <- v.Run(ctx) }()
	waitFor(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.viewers) == 1 })

	accepted := make(chan struct{})
	publishing := make(chan error, 1)
	go func() {
		publishing <- Publish(ctx, PublishOptions{URL: url, Feed: NewSource("live/a", 1, Shape{VideoBitrate: 200_000}), Accepted: func() { close(accepted) }})
	}()
	<-accepted
	waitFor(t, func() bool { return v.Report().Video >= 10 })

	err = Publish(t.Context(), PublishOptions{URL: url, Feed: NewSource("live/a", 2, Shape{})})
	if refused, ok := errors.AsType[*rtmp.StatusError](err); !ok || refused.Status.Code != "NetStream.Publish.BadName" {
		t.Errorf("second publisher: %v", err)
	}
	cancel()
	if err := <-publishing; err != nil {
		t.Errorf("publisher: %v", err)
	}
	if err := <-viewing; err != nil {
		t.Errorf("viewer: %v", err)
	}
	if r := v.Report(); r.Faults() != "" || r.Epoch != 1 {
		t.Errorf("%s, epoch %d", r.Faults(), r.Epoch)
	}
}

func TestViewerTellsWhenTheServerEndsIt(t *testing.T) {
	s := startServer(t)
	v, err := NewViewer(ViewOptions{URL: "rtmp://" + s.addr + "/live/a"})
	if err != nil {
		t.Fatal(err)
	}
	viewing := make(chan error, 1)
	go func() { viewing <- v.Run(t.Context()) }()
	waitFor(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.viewers) == 1 })
	s.mu.Lock()
	for c := range s.viewers {
		c.Close()
	}
	s.mu.Unlock()
	if err := <-viewing; err == nil {
		t.Fatal("no error")
	}
}

func waitFor(t *testing.T, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 10_000 {
		if cond() {
			return
		}
		<-tick.C
	}
	t.Fatal("not within ten seconds")
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]Address{
		"rtmp://h/live/a":             {Host: "h:1935", App: "live", Name: "a"},
		"rtmp://h:1/live/a?token=x&y": {Host: "h:1", App: "live", Name: "a", Query: "?token=x&y"},
		"rtmp://[::1]:1/live/a/b":     {Host: "[::1]:1", App: "live", Name: "a/b"},
	} {
		if got, err := ParseURL(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "http://h/live/a", "rtmp:///live/a", "rtmp://h/live", "rtmp://h/live/", "rtmp://h//a", "rtmp://h:x/live/a"} {
		if got, err := ParseURL(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}
