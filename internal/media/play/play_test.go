package play_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/flv"
	"weir/internal/bench/stamp"
	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	alice = stream.Name{App: "live", Stream: "alice"}
	bob   = stream.Name{App: "live", Stream: "bob"}
)

// node runs a node that also listens on a real socket of this machine, where
// viewers are pumped.
func node(t testing.TB) (*mediatest.World, *mediatest.Node, string) {
	t.Helper()
	w := mediatest.NewWorld(t)
	n := w.Start("n")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Sessions.Serve(ln, nil) }()
	t.Cleanup(func() {
		ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w, n, ln.Addr().String()
}

// until waits for a condition.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func published(t testing.TB, n *mediatest.Node, name stream.Name) {
	t.Helper()
	until(t, "published", func() bool {
		p, ok := n.Ingest.Lookup(name)
		return ok && len(p.Info().Tracks) == 2
	})
}

// player plays any number of NetStreams on one TCP connection and counts each.
type player struct {
	*rtmp.ClientConn
	mu      sync.Mutex
	counter map[uint32]*stamp.Counter
}

func dial(t *testing.T, addr string) *player {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{ClientConn: rtmp.NewClientConn(nc, rtmp.Options{}), counter: make(map[uint32]*stamp.Counter)}
	if err := p.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://" + addr + "/live"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			ev, err := p.Next()
			if err != nil {
				return
			}
			if ev.Kind == rtmp.EventMedia {
				p.mu.Lock()
				if c := p.counter[ev.StreamID]; c != nil {
					c.Observe(uint8(ev.Message.Type), ev.Message.Timestamp, ev.Message.Payload, time.Now())
				}
				p.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		p.Close()
		<-done
	})
	return p
}

func (p *player) play(t *testing.T, name stream.Name) uint32 {
	t.Helper()
	id, err := p.CreateStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.again(t, id, name)
	return id
}

func (p *player) again(t *testing.T, id uint32, name stream.Name) {
	t.Helper()
	p.mu.Lock()
	p.counter[id] = stamp.NewCounter(name.String(), 0)
	p.mu.Unlock()
	st, err := p.ClientConn.Play(t.Context(), id, name.Stream)
	if err != nil || st.Code != rtmp.CodePlayStart {
		t.Fatalf("play %v: %+v, %v", name, st, err)
	}
}

func (p *player) report(id uint32) stamp.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counter[id].Report()
}

// Key frames larger than what may wait as control bytes, beside a viewer that a
// pump serves: both arrive, whole.
func TestSecondPlayBesideAPumpedOne(t *testing.T) {
	w, n, addr := node(t)
	w.Shape.VideoBitrate = 8_000_000
	w.Publish(n, alice, 1)
	w.Publish(n, bob, 1)
	published(t, n, alice)
	published(t, n, bob)
	p := dial(t, addr)
	one := p.play(t, alice)
	two := p.play(t, bob)
	until(t, "two seconds of both", func() bool { return p.report(one).Video > 50 && p.report(two).Video > 50 })
	// The pumped one ends; the other goes on over the same socket, and so does a
	// third in its place.
	if err := p.DeleteStream(one); err != nil {
		t.Fatal(err)
	}
	before := p.report(two).Video
	until(t, "more of the second", func() bool { return p.report(two).Video > before+25 })
	three := p.play(t, alice)
	until(t, "the third", func() bool { return p.report(three).Video > 25 })
	for _, id := range []uint32{one, two, three} {
		if f := p.report(id).Faults(); f != "" {
			t.Errorf("play %d saw %s", id, f)
		}
	}
}

// The socket changes hands at the play; a client that asks for much at that moment
// gets its answers.
func TestQuestionsWhileThePumpTakesOver(t *testing.T) {
	w, n, addr := node(t)
	w.Publish(n, alice, 1)
	published(t, n, alice)
	for range 30 {
		p := dial(t, addr)
		id, err := p.CreateStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Send(id, "play", "alice")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for range 20 {
			if _, err := p.Call(ctx, 0, "getStreamLength", "alice"); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		p.Close()
	}
}

func TestP4ViewerThatDoesNotReadStallsNobody(t *testing.T) {
	w, n, addr := node(t)
	w.Publish(n, alice, 1)
	published(t, n, alice)
	var stuck []*rtmp.ClientConn
	for range 3 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c := rtmp.NewClientConn(nc, rtmp.Options{})
		c.Handshake()
		c.Connect(&rtmp.Connect{App: "live"})
		id, _ := c.CreateStreamNow()
		c.Send(id, "play", "alice")
		stuck = append(stuck, c) // and never reads again
	}
	p := dial(t, addr)
	id := p.play(t, alice)
	until(t, "three seconds", func() bool { return p.report(id).Video > 75 })
	// Who waited for one of them would do so until it is ended.
	if r := p.report(id); r.Faults() != "" || r.LongestGap > live.DefaultStallLimit/2 {
		t.Errorf("the viewer saw %q, longest gap %v", r.Faults(), r.LongestGap)
	}
	if len(stuck) != 3 || n.Play.Viewers() != 4 {
		t.Errorf("%d viewers", n.Play.Viewers())
	}
}

func TestFLVOverHTTP(t *testing.T) {
	w, n, _ := node(t)
	srv := httptest.NewServer(n.Play.HTTP())
	defer srv.Close()
	get := func(path string) *http.Response {
		t.Helper()
		r, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, path := range []string{"/live/alice.flv", "/live/alice", "/", "/live/..flv", "/%2e%2e/x.flv"} {
		r := get(path)
		r.Body.Close()
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	pub := w.Publish(n, alice, 1)
	published(t, n, alice)
	r := get("/live/alice.flv")
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "video/x-flv" {
		t.Fatalf("%s, %v", r.Status, r.Header)
	}
	file := flv.NewReader(r.Body, 0)
	if _, err := file.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	c := stamp.NewCounter(alice.String(), 0)
	for c.Report().Video < 50 {
		tag, err := file.ReadTag()
		if err != nil {
			t.Fatal(err)
		}
		c.Observe(tag.Type, tag.Timestamp, bytes.Clone(tag.Payload), time.Now())
	}
	if f := c.Report().Faults(); f != "" {
		t.Errorf("the viewer saw %s", f)
	}
	// The end of the stream is the end of the file.
	pub.Stop()
	n.Pulls.Close()
	n.Hub.Close()
	for {
		if _, err := file.ReadTag(); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("the file ended with %v", err)
			}
			break
		}
	}
}

// A viewer over HTTP has a closing line, counts in the load, and can be released.
func TestFLVOverHTTPIsASession(t *testing.T) {
	w, n, _ := node(t)
	srv := httptest.NewServer(n.Play.HTTP())
	defer srv.Close()
	w.Publish(n, alice, 1)
	published(t, n, alice)
	r, err := http.Get(srv.URL + "/live/alice.flv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	file := flv.NewReader(r.Body, 0)
	if _, err := file.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	if _, err := file.ReadTag(); err != nil {
		t.Fatal(err)
	}
	viewers, sent := n.Play.HTTPLoad()
	if viewers != 1 || sent == 0 || n.Play.Viewers() != 1 {
		t.Errorf("%d viewers, %d bytes", viewers, sent)
	}
	if first, again := n.Play.ReleaseHTTP(5), n.Play.ReleaseHTTP(5); first != 1 || again != 0 {
		t.Errorf("released %d, then %d", first, again)
	}
	for err == nil {
		_, err = file.ReadTag()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("the file ended with %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	closed, err := event.WaitFor(ctx, n.Rec, func(e event.SessionClosed) bool { return e.Conn == 0 })
	if err != nil {
		t.Fatal(err)
	}
	if viewers, sent = n.Play.HTTPLoad(); viewers != 0 || closed.BytesOut != sent ||
		closed.Role != event.RoleViewer || closed.Stream != alice.Stream || closed.Reason != event.NodeStopping || closed.EndedBy != event.ByServer {
		t.Errorf("%d viewers left; %s", viewers, event.Line(closed))
	}
}
