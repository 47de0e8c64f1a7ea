package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// shape is light: many viewers on a busy machine.
var shape = stamp.Shape{VideoBitrate: 200_000, FrameRate: 50, GOP: 200 * time.Millisecond, AudioRate: -1}

// server is a server without any virtue: each viewer has a publisher to itself.
type server struct {
	l        net.Listener
	tls      *tls.Config // nil = plain
	conns    sync.WaitGroup
	play     func(s *rtmp.ServerConn, ev rtmp.Event) error
	received atomic.Int64  // payload bytes from publishers, without headers
	enough   chan struct{} // closed at 100 published frames
	counter  *stamp.Counter
}

func serve(t *testing.T, s *server) string {
	t.Helper()
	var err error
	if s.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	scheme := "rtmp"
	if s.tls != nil {
		scheme, s.l = "rtmps", tls.NewListener(s.l, s.tls)
	}
	s.enough = make(chan struct{})
	s.conns.Go(func() {
		for {
			nc, err := s.l.Accept()
			if err != nil {
				return
			}
			s.conns.Go(func() { s.serve(nc) })
		}
	})
	t.Cleanup(func() { s.l.Close(); s.conns.Wait() })
	return scheme + "://" + s.l.Addr().String() + "/live/a"
}

func (s *server) serve(nc net.Conn) {
	defer nc.Close()
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() != nil {
		return
	}
	if _, err := c.ReadConnect(); err != nil || c.AcceptConnect(nil) != nil {
		return
	}
	for {
		ev, err := c.Next()
		switch {
		case err == nil && ev.Kind == rtmp.EventPlay:
			err = s.play(c, ev)
		case err == nil && ev.Kind == rtmp.EventPublish:
			c.SetMaxMessage(0)
			err = c.AcceptPublish(ev.Publish, nil)
		case err == nil && ev.Kind == rtmp.EventMedia:
			s.take(ev.Message)
		}
		if err != nil {
			return
		}
	}
}

func (s *server) take(m *rtmp.Message) {
	s.counter.Observe(uint8(m.Type), m.Timestamp, m.Payload, time.Now())
	r := s.counter.Report()
	if r.Video+r.Audio > 0 {
		s.received.Add(int64(len(m.Payload)))
	}
	if r.Video == 100 {
		close(s.enough)
	}
}

// stream sends stamped frames in real time until frames are sent or the viewer goes.
func stream(frames int) func(*rtmp.ServerConn, rtmp.Event) error {
	return func(c *rtmp.ServerConn, ev rtmp.Event) error {
		if err := c.AcceptPlay(ev.Play, nil); err != nil {
			return err
		}
		source := stamp.NewSource("live/a", 1, shape)
		write := func(f stamp.Frame) error {
			return c.WriteMessage(&rtmp.Message{Type: rtmp.MessageType(f.Type), StreamID: ev.Play.StreamID, Timestamp: uint32(f.Timestamp), Payload: f.Payload})
		}
		for _, h := range source.Headers() {
			if err := write(h); err != nil {
				return err
			}
		}
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for range frames {
			<-ticker.C
			if err := write(source.Next(nil, time.Now())); err != nil {
				return err
			}
		}
		return errors.New("enough")
	}
}

func TestPlay(t *testing.T) {
	for _, r := range []Reader{Lazy, Eager} {
		t.Run(string(r), func(t *testing.T) {
			url := serve(t, &server{play: stream(1 << 20)})
			got, err := Play(t.Context(), PlayOptions{
				URLs: []string{url + "?token=secret"}, Viewers: 20, Reader: r, Sample: 5, Pace: Pace{Concurrency: 4}, Window: 500 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			if s := got.Sessions; s.Up != 20 || s.Failed != 0 || s.Dropped != 0 {
				t.Errorf("sessions: %+v", s)
			}
			if got.Join.Connect.Count != 20 || got.Join.FirstKey.Count != 20 || got.LongestGap.Count != 5 || got.Latency.Count == 0 {
				t.Errorf("join %+v, gaps %+v, latency %+v", got.Join, got.LongestGap, got.Latency)
			}
			if f := got.Frames; f.Viewers != 5 || f.Received == 0 || f.Lost+f.Doubled+f.Foreign+f.Unstamped+f.NoHeader != 0 {
				t.Errorf("frames: %+v", f)
			}
			if got.Bytes.Received == 0 || got.Bytes.Expected == 0 {
				t.Errorf("bytes: %+v", got.Bytes)
			}
			var text bytes.Buffer
			if err := got.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			js, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(append(js, text.Bytes()...), []byte("secret")) {
				t.Errorf("the token is in the report:\n%s%s", js, &text)
			}
		})
	}
}

// Over TLS both commands work; its viewers are read by this process.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	s := &server{tls: &tls.Config{Certificates: web.TLS.Certificates}, play: stream(1 << 20), counter: stamp.NewCounter("live/a", 0)}
	url := serve(t, s)
	o := PlayOptions{URLs: []string{url}, Viewers: 4, Sample: 1, Pace: Pace{Concurrency: 4}, Window: 300 * time.Millisecond}
	got, err := Play(t.Context(), o)
	if err != nil || got.Sessions.Failed != 4 {
		t.Errorf("with a certificate that nobody knows: %+v, %v", got, err)
	}
	o.Insecure = true
	if got, err = Play(t.Context(), o); err != nil || got.Sessions.Up != 4 || got.Bytes.Short != 0 || got.Frames.Lost != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-s.enough; cancel() }()
	if got, err := Publish(ctx, PublishOptions{URLs: []string{url}, Shape: shape, Insecure: true}); err != nil || got.Sessions.Up != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPlayCountsRefusals(t *testing.T) {
	url := serve(t, &server{play: func(c *rtmp.ServerConn, ev rtmp.Event) error {
		return c.RejectPlay(ev.Play, rtmp.CodePlayStreamNotFound, "no such stream")
	}})
	got, err := Play(t.Context(), PlayOptions{URLs: []string{url}, Viewers: 3, Window: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Sessions; s.Failed != 3 || s.Up != 0 || s.Reasons[rtmp.CodePlayStreamNotFound] != 3 {
		t.Errorf("%+v", s)
	}
}

// A server that closes after 20 frames has dropped all, the sampled and the discarded.
func TestPlayCountsDrops(t *testing.T) {
	url := serve(t, &server{play: stream(20)})
	got, err := Play(t.Context(), PlayOptions{URLs: []string{url}, Viewers: 4, Sample: 2, Reader: Eager, Pace: Pace{Concurrency: 4}, Window: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Sessions; s.Dropped != 4 || s.Up != 0 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

func TestPublish(t *testing.T) {
	s := &server{counter: stamp.NewCounter("live/a", 0)}
	url := serve(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	context.AfterFunc(t.Context(), cancel)
	go func() { <-s.enough; cancel() }()
	got, err := Publish(ctx, PublishOptions{URLs: []string{url}, Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	s.l.Close()
	s.conns.Wait()
	if got.Sessions.Up != 1 || got.Accepted.Count != 1 || got.Sent != s.received.Load() || got.Expected < got.Sent {
		t.Errorf("%+v, received %d", got, s.received.Load())
	}
	if faults := s.counter.Report().Faults(); faults != "" {
		t.Error(faults)
	}
}

// The window comes after joins and warm-up, and lasts as long as it is told to.
func TestPublishWarmsUp(t *testing.T) {
	url := serve(t, &server{counter: stamp.NewCounter("live/a", 0)})
	o := PublishOptions{URLs: []string{url}, Shape: shape, PIDs: []int{os.Getpid()}, Warmup: 50 * time.Millisecond, Window: 50 * time.Millisecond}
	began := time.Now()
	got, err := Publish(t.Context(), o)
	if took := time.Since(began); err != nil || took < o.Warmup+o.Window {
		t.Fatalf("%v after %v", err, took)
	}
	if got.Sessions.Up != 1 || got.Accepted.Count != 1 || got.Seconds < o.Window.Seconds() || got.Server.JoinCPU <= 0 {
		t.Errorf("%+v", got)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	for _, o := range []PlayOptions{
		{Viewers: 1},
		{URLs: []string{"rtmp://h/live/a"}},
		{URLs: []string{"ftp://h/live/a"}, Viewers: 1},
		{URLs: []string{"rtmp://h/live/a"}, Viewers: 1, Reader: "keen"},
		{URLs: []string{"rtmp://h/live/a"}, Viewers: 1, PIDs: []int{1 << 30}},
	} {
		if _, err := Play(t.Context(), o); !errors.As(err, new(*OptionError)) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Publish(t.Context(), PublishOptions{URLs: []string{"tcp://h:1/live/a"}}); !errors.As(err, new(*OptionError)) {
		t.Error(err)
	}
}

// Of the deaf, those count who had something to be deaf to; the window waits for them.
func TestDeafViewersAreCounted(t *testing.T) {
	var plays atomic.Int64
	sends := stream(1 << 20)
	url := serve(t, &server{play: func(c *rtmp.ServerConn, ev rtmp.Event) error {
		switch plays.Add(1) {
		case 2: // the first is the viewer that hears
			return errors.New("no")
		case 3:
			return c.AcceptPlay(ev.Play, nil) // and no media
		}
		return sends(c, ev)
	}})
	got, err := Play(t.Context(), PlayOptions{
		URLs: []string{url}, Viewers: 1, Deaf: 4, Reader: Eager, Sample: 1, KeyLimit: 3 * time.Second, Window: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Deaf != 2 || got.Sessions.Up != 1 || got.Sessions.Failed != 0 || got.Join.NoKey != 0 {
		t.Errorf("%d deaf, %+v, %+v", got.Deaf, got.Sessions, got.Join)
	}
	var text bytes.Buffer
	if err := got.WriteText(&text); err != nil || !bytes.Contains(text.Bytes(), []byte("2 of 4 came as far")) {
		t.Errorf("%v\n%s", err, &text)
	}
}

// progressLines passes on each line that is shown.
type progressLines chan string

func (c progressLines) Write(b []byte) (int, error) {
	select {
	case c <- string(b):
	default:
	}
	return len(b), nil
}

// Whoever waits sees once a second what is going on, and at the end a clean terminal.
func TestPlayShowsProgress(t *testing.T) {
	url := serve(t, &server{play: stream(1 << 20)})
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(progressLines, 100)
	ended := make(chan error, 1)
	go func() {
		_, err := Play(ctx, PlayOptions{URLs: []string{url}, Viewers: 3, Sample: 1, Pace: Pace{Concurrency: 3}, ProgressTo: lines})
		ended <- err
	}()
	for line := range lines {
		if strings.HasPrefix(line, "\r\x1b[Kmeasuring  up 3/3  failed 0  dropped 0  ") && strings.Contains(line, "latency p50") {
			break
		}
		if line == "\r\x1b[K" {
			t.Fatal("it ended before it measured")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	close(lines)
	last := ""
	for last = range lines {
	}
	if last != "\r\x1b[K" {
		t.Errorf("the last that is written is %q", last)
	}
}
