package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weir/internal/ops/event"
)

func TestAStreamGoesToTheServerThatHasIt(t *testing.T) {
	f := newFleet(says(t, "a"), says(t, "b"), says(t, "c"))
	f.has[name("live", "x")] = "b"
	s := stand(t, f, nil)
	for range 5 {
		for _, path := range []string{"/live/x.flv", "/live/x.m3u8", "/live/x-3.ts", "/live/x/index.m3u8", "/live/x/whep"} {
			if _, body := s.get(t, path); body != "b "+path {
				t.Errorf("%s came from %q", path, body)
			}
		}
	}
	until(t, "every reservation is back and no request open", func() bool {
		return read(f, func() bool { return f.given == 0 && f.open["b"] == 0 })
	})
}

func TestAPlaylistAndItsSegmentsComeFromOneServer(t *testing.T) {
	f := newFleet(says(t, "a"), says(t, "b"), says(t, "c"))
	s := stand(t, f, nil)
	_, first := s.get(t, "/live/x/index.m3u8", "User-Agent", "player")
	for i := range 6 {
		path := fmt.Sprintf("/live/x/%d.ts", i)
		if _, body := s.get(t, path, "User-Agent", "player"); body[0] != first[0] {
			t.Errorf("the playlist came from %c, %s from %c", first[0], path, body[0])
		}
	}
	if _, other := s.get(t, "/live/x/index.m3u8", "User-Agent", "another"); other[0] == first[0] {
		t.Errorf("another player was kept at %c too", other[0])
	}
	f.set(func() { f.down[first[:1]] = true })
	if _, body := s.get(t, "/live/x/9.ts", "User-Agent", "player"); body[0] == first[0] {
		t.Errorf("a server that is down was asked")
	}
}

func TestAServerThatCannotBeReachedIsFollowedByTheNext(t *testing.T) {
	f := newFleet(gone(t, "dead"), says(t, "b"))
	s := stand(t, f, nil)
	if _, body := s.ask(t, http.MethodPost, "/api", strings.NewReader("hello")); body != "b /api" {
		t.Errorf("got %q", body)
	}
	if read(f, func() int { return f.evil["dead"] }) != 1 || read(f, func() int { return f.good["b"] }) != 1 {
		t.Errorf("evidence: failed %v, succeeded %v", f.evil, f.good)
	}
}

// hangsUp is a server that closes the connection when it has read a request.
func hangsUp(t *testing.T, name string) Server {
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
}

func TestOnlyWhatChangesNothingIsAskedAgain(t *testing.T) {
	f := newFleet(hangsUp(t, "a"), says(t, "b"))
	s := stand(t, f, nil)
	if _, body := s.get(t, "/page"); body != "b /page" {
		t.Errorf("GET: got %q", body)
	}
	for _, order := range []io.Reader{strings.NewReader("one"), nil} {
		f.set(func() { f.next = 0 })
		if res, body := s.ask(t, http.MethodPost, "/buy", order); res.StatusCode != http.StatusBadGateway {
			t.Errorf("POST: got %d %q: it may have been done twice", res.StatusCode, body)
		}
	}
}

func TestANodeThatIsDrainedIsFollowedByTheNext(t *testing.T) {
	drained := backend(t, "a", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "drained", http.StatusServiceUnavailable) })
	f := newFleet(drained, says(t, "b"))
	s := stand(t, f, nil)
	if res, body := s.get(t, "/live/x.flv"); res.StatusCode != http.StatusOK || body != "b /live/x.flv" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	f.set(func() { f.down["b"], f.next = true, 0 })
	if res, body := s.get(t, "/live/x.flv"); res.StatusCode != http.StatusServiceUnavailable || body != "drained" {
		t.Errorf("without another server: got %d %q, want the server's own answer", res.StatusCode, body)
	}
	until(t, "every reservation is back", func() bool { return read(f, func() bool { return f.given == 0 }) })
}

func TestWhyThereIsNoAnswer(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	garbage, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer garbage.Close()
	go func() {
		for {
			c, err := garbage.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "what?\r\n\r\n")
			c.Close()
		}
	}()
	for _, c := range []struct {
		what   string
		fleet  *fleet
		status int
	}{
		{"nobody", newFleet(), http.StatusServiceUnavailable},
		{"unreachable", newFleet(gone(t, "a")), http.StatusBadGateway},
		{"garbage", newFleet(Server{Name: "a", Addr: garbage.Addr().String()}), http.StatusBadGateway},
		{"silence", newFleet(Server{Name: "a", Addr: deaf.Addr().String()}), http.StatusGatewayTimeout},
	} {
		s := stand(t, c.fleet, func(o *Options) {
			if c.status == http.StatusGatewayTimeout {
				o.Answer = 200 * time.Millisecond
			}
		})
		res, body := s.get(t, "/live/x.m3u8")
		if res.StatusCode != c.status || body == "" {
			t.Errorf("%s: got %d %q, want %d", c.what, res.StatusCode, body, c.status)
		}
		if again := res.Header.Get("Retry-After"); (again != "") != (c.status == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After %q", c.what, again)
		}
		if strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: the answer shows the server: %q", c.what, body)
		}
	}
}

// steps is a server that sends what the test gives it, when it does.
func steps(t *testing.T, name string) (Server, chan string, chan struct{}) {
	t.Helper()
	say, ended := make(chan string), make(chan struct{}, 10)
	return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		out := http.NewResponseController(w)
		out.Flush()
		for {
			select {
			case text := <-say:
				if text == "" {
					panic(http.ErrAbortHandler)
				}
				io.WriteString(w, text)
				out.Flush()
			case <-r.Context().Done():
				return
			}
		}
	}), say, ended
}

func TestAStreamIsPassedOnAsItComes(t *testing.T) {
	srv, say, ended := steps(t, "a")
	f := newFleet(srv)
	s := stand(t, f, nil)
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/live/x.flv"), nil)
	res, err := http.DefaultTransport.RoundTrip(r) // the header comes before any byte
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	for _, text := range []string{"one", "two", "three"} {
		say <- text
		if n, err := io.ReadFull(res.Body, buf[:len(text)]); err != nil || string(buf[:n]) != text {
			t.Fatalf("got %q, %v", buf[:n], err)
		}
	}
	until(t, "it is counted", func() bool {
		requests, streams, _, out := s.Load()
		return requests == 1 && streams == 1 && out == 11 && f.out.Load() == 11
	})
	leave()
	await(t, "the server hears that its viewer has left", ended)
	until(t, "nothing is open", func() bool {
		requests, streams, _, _ := s.Load()
		return requests+streams == 0 && read(f, func() bool { return f.open["a"] == 0 && f.given == 0 })
	})
	until(t, "the closing line is said", func() bool {
		s.said.mu.Lock()
		defer s.said.mu.Unlock()
		for _, e := range s.said.all {
			if p, ok := e.(event.Proxied); ok && p.Lasting && p.Server == "a" && p.BytesOut == 11 && p.Stream == "x" {
				return true
			}
		}
		return false
	})
}

// What is gathered is whole and in order, whoever reads it by whichever protocol.
func TestGatheredPiecesAreWhole(t *testing.T) {
	var want strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&want, "%d %s;", i, strings.Repeat("x", i%97))
	}
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		for rest := want.String(); rest != ""; {
			n := min(len(rest), 1+len(rest)%3000)
			io.WriteString(w, rest[:n])
			out.Flush()
			rest = rest[n:]
		}
	})
	s := stand(t, newFleet(srv), func(o *Options) { o.Gather = 5 * time.Millisecond })
	if _, got := s.get(t, "/live/x.flv"); got != want.String() {
		t.Errorf("HTTP/1.1: %d bytes of %d", len(got), want.Len())
	}
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "GET /live/x.flv HTTP/1.0\r\nHost: x\r\n\r\n")
	all, err := io.ReadAll(nc)
	if _, body, _ := strings.Cut(string(all), "\r\n\r\n"); err != nil || body != want.String() {
		t.Errorf("HTTP/1.0: %d bytes of %d, %v", len(body), want.Len(), err)
	}
}

func TestABrokenStreamIsBrokenForItsViewer(t *testing.T) {
	srv, say, _ := steps(t, "a")
	s := stand(t, newFleet(srv), nil)
	res, err := http.Get(s.url("/live/x.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	go func() { say <- "some"; say <- "" }()
	if b, err := io.ReadAll(res.Body); err == nil || string(b) != "some" {
		t.Errorf("got %q, %v: the viewer must see that it is not all", b, err)
	}
}

// A client that does not read holds its server up, and nothing else; when it has
// taken nothing for the limit it is closed.
func TestBackPressure(t *testing.T) {
	var wrote atomic.Int64
	ended := make(chan struct{})
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		b := make([]byte, 64<<10)
		for {
			n, err := w.Write(b)
			wrote.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	s := stand(t, newFleet(srv), func(o *Options) { o.Stall = 500 * time.Millisecond })
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.(*net.TCPConn).SetReadBuffer(64 << 10)
	fmt.Fprintf(nc, "GET /live/x.flv HTTP/1.1\r\nHost: x\r\n\r\n")
	<-ended
	if n := wrote.Load(); n > 64<<20 {
		t.Errorf("the server could send %d bytes to a client that reads none", n)
	}
}

func TestHopByHopFieldsStayOnTheirHop(t *testing.T) {
	got := make(chan http.Header, 1)
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		w.Header().Set("Connection", "X-Own")
		w.Header().Set("X-Own", "secret")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("X-Kept", "yes")
	})
	s := stand(t, newFleet(srv), nil)
	res, _ := s.get(t, "/x", "Connection", "X-Mine", "X-Mine", "1", "Keep-Alive", "9", "Proxy-Authorization", "x", "TE", "gzip", "X-Kept", "yes")
	h := <-got
	for _, k := range []string{"X-Mine", "Keep-Alive", "Proxy-Authorization", "Te", "Connection"} {
		if v := h.Get(k); v != "" {
			t.Errorf("the server was sent %s: %s", k, v)
		}
	}
	for _, k := range []string{"X-Own", "Keep-Alive"} {
		if v := res.Header.Get(k); v != "" {
			t.Errorf("the client was sent %s: %s", k, v)
		}
	}
	if h.Get("X-Kept") != "yes" || res.Header.Get("X-Kept") != "yes" {
		t.Error("a field was lost")
	}
	if v := h.Get("Via"); v != "1.1 front1" {
		t.Errorf("Via: %q", v)
	}
	if h.Get("User-Agent") == "" || h.Get("Accept-Encoding") != "" {
		t.Errorf("added or lost: User-Agent %q, Accept-Encoding %q", h.Get("User-Agent"), h.Get("Accept-Encoding"))
	}
}

func TestALoopEnds(t *testing.T) {
	f := newFleet()
	s := stand(t, f, nil)
	f.set(func() { f.servers = []Server{{Name: "itself", Addr: s.addr}} })
	if res, _ := s.get(t, "/x"); res.StatusCode != http.StatusLoopDetected {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestTheQueryAndTheHostAreTheServersToRead(t *testing.T) {
	got := make(chan string, 1)
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) { got <- r.Host + r.RequestURI })
	s := stand(t, newFleet(srv), nil)
	s.get(t, "/live/x%2by.m3u8?token=a;b&c=%zz", "Host", "media.example.com:8443")
	if v := <-got; v != "media.example.com:8443/live/x%2by.m3u8?token=a;b&c=%zz" {
		t.Errorf("got %s", v)
	}
}

func TestBodies(t *testing.T) {
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v", n, err)
	})
	f := newFleet(srv)
	s := stand(t, f, func(o *Options) { o.Body = 1000 })
	if _, body := s.ask(t, http.MethodPut, "/x", strings.NewReader(strings.Repeat("x", 1000))); body != "1000 <nil>" {
		t.Errorf("got %q", body)
	}
	if res, _ := s.ask(t, http.MethodPut, "/x", strings.NewReader(strings.Repeat("x", 1001))); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long, and says so: %d", res.StatusCode)
	}
	if res, _ := s.ask(t, http.MethodPut, "/x", io.MultiReader(strings.NewReader(strings.Repeat("x", 1001)))); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long, chunked: %d", res.StatusCode)
	}
	s = stand(t, f, func(o *Options) { o.Stall = 300 * time.Millisecond })
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome")
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("a body that stalls: %v, %v", res, err)
	}
	if n := read(f, func() int { return f.evil["a"] }); n != 0 {
		t.Errorf("clients' bodies were held against the server %d times", n)
	}
}

func TestEndsTakeTheirStreamsAlong(t *testing.T) {
	srv, say, ended := steps(t, "a")
	s := stand(t, newFleet(srv), nil)
	res, err := http.Get(s.url("/live/x.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	say <- "some"
	s.Front.Close()
	<-ended
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestAClientThatIsGoneIsNobodysFault(t *testing.T) {
	asked := make(chan struct{})
	ended := make(chan struct{})
	srv := backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(ended)
	})
	f := newFleet(srv, says(t, "b"))
	s := stand(t, f, nil)
	ctx, leave := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url("/x"), nil)
	go func() { <-asked; leave() }()
	if _, err := http.DefaultTransport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	<-ended
	until(t, "the request is over", func() bool { n, _, _, _ := s.Load(); return n == 0 })
	if n := read(f, func() int { return f.evil["a"] + len(f.asked) }); n != 1 {
		t.Errorf("failures %v, choices %d", f.evil, len(f.asked))
	}
}
