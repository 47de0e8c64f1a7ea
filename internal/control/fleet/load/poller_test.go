package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/place"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
)

// site is a web server in memory whose page can be changed.
type site struct {
	page atomic.Pointer[http.HandlerFunc]
	hits atomic.Int64
}

func (s *site) says(text string) {
	s.does(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

func (s *site) does(f http.HandlerFunc) { s.page.Store(&f) }

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.hits.Add(1)
	(*s.page.Load())(w, r)
}

// polled runs f with a poller in a bubble; open starts a site.
func polled(t *testing.T, f func(b *fleet.Backends, p *Poller, events *event.Recorder, open func(addr, page string) *site)) {
	synctest.Test(t, func(t *testing.T) {
		var network testnet.Network
		b := fleet.NewBackends(fleet.BackendOptions{})
		var r event.Recorder
		p := New(Options{Backends: b, Dial: network.Dial, Emit: r.Sink})
		var servers []*http.Server
		f(b, p, &r, func(addr, page string) *site {
			ln, err := network.Listen(addr)
			if err != nil {
				t.Fatal(err)
			}
			s := &site{}
			s.says(page)
			srv := &http.Server{Handler: s}
			servers = append(servers, srv)
			go srv.Serve(ln)
			return s
		})
		p.Close()
		for _, srv := range servers {
			srv.Close()
		}
	})
}

func published(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "<stream><name>%s</name><nclients>1</nclients><publishing/></stream>", n)
	}
	return live(b.String())
}

func nginxBackend(name, addr string) fleet.Backend {
	return fleet.Backend{Name: name, RTMP: addr, HTTP: addr, Load: fleet.LoadSource{Kind: fleet.LoadNginx}}
}

func TestAReportIsUsedKeptAndForgotten(t *testing.T) {
	polled(t, func(b *fleet.Backends, p *Poller, events *event.Recorder, open func(addr, page string) *site) {
		s := open("10.0.0.1:80", published("a", "b"))
		other := open("10.0.0.2:80", published("c"))
		b.Replace("static", []fleet.Backend{nginxBackend("e1", "10.0.0.1:80"), nginxBackend("e2", "10.0.0.2:80")})
		time.Sleep(firstWithin + 10*time.Millisecond)
		st, _ := b.Get("e1")
		if !st.Reported || st.Measured.Publishers != 2 || st.Streams != 2 || !slices.Equal(b.Having(name("live", "a")), []string{"e1"}) {
			t.Fatalf("%+v", st)
		}
		s.says("<html>It works!</html>")
		time.Sleep(DefaultInterval * 3 / 2)
		st, _ = b.Get("e1")
		if state := p.State("e1"); !st.Reported || st.Streams != 2 || !state.Used || !strings.Contains(state.Problem, "10.0.0.1:80/stat: the answer is not nginx-rtmp's statistics") {
			t.Errorf("on a lie: %+v %+v", st, state)
		}
		s.says(published("a")) // it is itself again
		time.Sleep(DefaultInterval * 3 / 2)
		if st, _ = b.Get("e1"); st.Streams != 1 || p.State("e1").Problem != "" {
			t.Errorf("again: %+v %+v", st, p.State("e1"))
		}
		s.does(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }) // frozen
		time.Sleep(maxAge / 2)
		if st, _ = b.Get("e1"); !st.Reported {
			t.Error("forgotten too soon")
		}
		time.Sleep(maxAge)
		st, _ = b.Get("e1")
		if st.Reported || st.Streams != 0 || st.Measured != (place.Load{}) || p.State("e1").Used {
			t.Errorf("a stale report is in use: %+v", st)
		}
		if n := len(b.Having(name("live", "a"))); n != 0 {
			t.Errorf("a stale stream is known at %d", n)
		}
		if st, _ = b.Get("e2"); !st.Reported || time.Since(st.LoadSeen) > 2*DefaultInterval || other.hits.Load() < 10 {
			t.Errorf("the canary: %+v, %d polls", st, other.hits.Load())
		}
		var said []string
		for _, e := range events.Events() {
			if e, ok := e.(event.BackendLoad); ok {
				said = append(said, fmt.Sprint(e.Backend, e.Good))
			}
		}
		if got := strings.Join(said, ", "); got != "e1false, e1true, e1false" {
			t.Errorf("told: %s", got)
		}
	})
}

// Nobody has said where its statistics are: whatever listens on port 80 of its host is not asked.
func TestNginxWithoutAnAddressSaysSo(t *testing.T) {
	polled(t, func(b *fleet.Backends, p *Poller, said *event.Recorder, open func(addr, page string) *site) {
		other := open("10.0.0.1:80", published("a"))
		b.Replace("static", []fleet.Backend{{Name: "e1", RTMP: "10.0.0.1:1935", Load: fleet.LoadSource{Kind: fleet.LoadNginx}}})
		time.Sleep(time.Minute)
		if state := p.State("e1"); other.hits.Load() != 0 || !strings.Contains(state.Problem, "load.url") || len(event.Of[event.BackendLoad](said)) != 1 {
			t.Errorf("asked %d times, %+v\n%s", other.hits.Load(), state, said)
		}
	})
}

func TestDescriptionsAndOperatorsChangeWhatIsPolled(t *testing.T) {
	polled(t, func(b *fleet.Backends, p *Poller, _ *event.Recorder, open func(addr, page string) *site) {
		first, second := open("10.0.0.1:80", published("a")), open("10.0.0.2:80", published("b"))
		d := nginxBackend("e1", "10.0.0.1:80")
		b.Replace("static", []fleet.Backend{d})
		time.Sleep(time.Second)
		d.Load.URL, d.Load.Interval = "http://10.0.0.2:80/other", time.Second
		b.Replace("static", []fleet.Backend{d})
		time.Sleep(10 * time.Second)
		if got := b.StreamsOf("e1"); len(got) != 1 || got[0] != name("live", "b") || first.hits.Load() != 1 || second.hits.Load() < 9 {
			t.Errorf("%v; %d and %d polls", got, first.hits.Load(), second.hits.Load())
		}
		if err := b.SetOperator("e1", fleet.Maint); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		n := second.hits.Load()
		time.Sleep(10 * time.Second)
		if st, _ := b.Get("e1"); st.Reported || second.hits.Load() != n || p.State("e1") != (State{}) {
			t.Errorf("polled in maintenance: %+v", st)
		}
		if err := b.SetOperator("e1", fleet.Ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if st, _ := b.Get("e1"); !st.Reported {
			t.Errorf("not polled after it: %+v", st)
		}
		d.Load = fleet.LoadSource{}
		b.Replace("static", []fleet.Backend{d})
		time.Sleep(time.Second)
		if st, _ := b.Get("e1"); st.Reported {
			t.Errorf("the report of one that reports nothing any more is in use: %+v", st)
		}
		b.Replace("static", nil)
		time.Sleep(time.Second)
		n = second.hits.Load()
		time.Sleep(time.Minute)
		if second.hits.Load() != n {
			t.Error("polled after its end")
		}
	})
}

func TestAThousandBackendsArePolledWithFewGoroutines(t *testing.T) {
	polled(t, func(b *fleet.Backends, p *Poller, _ *event.Recorder, open func(addr, page string) *site) {
		s := open("10.0.0.1:80", published("a"))
		var list []fleet.Backend
		for i := range 1000 {
			list = append(list, nginxBackend(fmt.Sprint("e", i), "10.0.0.1:80"))
		}
		before := runtime.NumGoroutine()
		b.Replace("static", list)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := s.hits.Load(); n < 3500 || n > 5500 {
			t.Errorf("%d polls in 20 s, want one in 5 s each", n)
		}
		if n := runtime.NumGoroutine() - before; n > 20 {
			t.Errorf("%d goroutines between polls", n)
		}
		if got := len(b.Having(name("live", "a"))); got != 1000 {
			t.Errorf("%d have the stream", got)
		}
	})
}

// answers is a transport that answers every request with one text.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

// FuzzAPIs: whatever SRS or MediaMTX answer, memory stays bounded and the error says something.
func FuzzAPIs(f *testing.F) {
	f.Add(`{"code":0,"data":{"ok":true,"self":{"pid":1,"cpu_percent":0.1},"system":{"srs_sample_time":1,"srs_recv_bytes":1}},"streams":[{"id":"a","app":"live","name":"x","kbps":{"recv_30s":1},"publish":{"active":true}}],"clients":[{"id":1,"publish":true}]}`)
	f.Add(`{"pageCount":1,"items":[{"name":"live/a","ready":true,"source":{"type":"rtmpConn"},"readers":[{},{}],"bytesReceived":1}]}`)
	f.Add(`{"pageCount":1,"items":[` + strings.Repeat("{},", 500) + "{}]}")
	f.Add(`{"x":` + strings.Repeat("[", 100))
	f.Fuzz(func(t *testing.T, text string) {
		g := &getter{http.Client{Transport: answers(text)}}
		for _, s := range []source{newSRS(g, "http://h"), newMediaMTX(g, "http://h")} {
			var a, b runtime.MemStats
			runtime.ReadMemStats(&a)
			r, err := s.read(context.Background(), 0)
			runtime.ReadMemStats(&b)
			// Three or two pages are read, each through a decoder's buffer.
			if got, limit := b.TotalAlloc-a.TotalAlloc, uint64(3*(8*len(text)+1<<20)); got > limit && !pages(text) {
				t.Errorf("%d bytes allocated for %d", got, len(text))
			}
			var fault *Fault
			if err != nil && (!errors.As(err, &fault) || fault.Text == "") {
				t.Errorf("%T %v", err, err)
			}
			for _, n := range r.Streams {
				if _, err := stream.NewName(n.App, n.Stream); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// pages reports whether a text may ask for itself again.
func pages(text string) bool {
	return strings.Contains(strings.ToLower(text), "pagecount") || strings.Count(text, "{") >= leastPage
}

func TestWhoSaysItsLoadItselfIsNotAsked(t *testing.T) {
	polled(t, func(b *fleet.Backends, p *Poller, events *event.Recorder, open func(addr, page string) *site) {
		s := open("10.0.0.1:1985", "{}")
		d := nginxBackend("e1", "10.0.0.1:80")
		d.Load = fleet.LoadSource{Kind: fleet.LoadRegistered, URL: "http://10.0.0.1:1985"}
		b.Replace("srs", []fleet.Backend{d})
		b.SetRegistered("e1", place.Load{Sessions: 3})
		time.Sleep(time.Minute)
		if st, _ := b.Get("e1"); s.hits.Load() != 0 || st.Measured.Sessions != 3 || p.State("e1") != (State{}) {
			t.Errorf("asked %d times, %+v, %+v", s.hits.Load(), st.Measured, p.State("e1"))
		}
	})
}
