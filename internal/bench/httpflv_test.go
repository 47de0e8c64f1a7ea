package bench

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/flv"
	"weir/internal/bench/stamp"
)

// flvServer sends each GET a stream of its own, in chunks.
func flvServer(t *testing.T, start func(http.Handler) *httptest.Server) string {
	t.Helper()
	s := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/live/a.flv" || r.URL.Query().Get("token") != "x" {
			http.NotFound(w, r)
			return
		}
		source := stamp.NewSource("live/a", 1, shape)
		b := flv.AppendHeader(nil, true, true)
		for _, f := range source.Headers() {
			b = flv.AppendTag(b, f.Type, uint32(f.Timestamp), f.Payload)
		}
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for r.Context().Err() == nil {
			f := source.Next(nil, time.Now())
			b = flv.AppendTag(b, f.Type, uint32(f.Timestamp), f.Payload)
			if _, err := w.Write(b); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			b = b[:0]
			<-ticker.C
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/live/a.flv?token=x"
}

func TestPlayHTTPFLV(t *testing.T) {
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		url := flvServer(t, start)
		got, err := Play(t.Context(), PlayOptions{URLs: []string{url}, Viewers: 6, Sample: 2, Reader: Eager, Insecure: true,
			Pace: Pace{Concurrency: 6}, Warmup: 100 * time.Millisecond, Window: 600 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if s := got.Sessions; s.Up != 6 || s.Failed+s.Dropped != 0 || got.Join.FirstKey.Count != 6 {
			t.Errorf("%+v, %+v", s, got.Join)
		}
		if f := got.Frames; f.Viewers != 2 || f.Received == 0 || f.Lost+f.Doubled+f.Foreign+f.Unstamped+f.NoHeader != 0 {
			t.Errorf("%+v", f)
		}
		if got.Bytes.Received == 0 || got.Latency.Count == 0 {
			t.Errorf("%+v, %+v", got.Bytes, got.Latency)
		}
		if strings.Contains(got.Targets[0], "token") {
			t.Error("the report names the token:", got.Targets[0])
		}
	}
}

func TestPlayHTTPFLVCountsRefusals(t *testing.T) {
	url := strings.Replace(flvServer(t, httptest.NewServer), "/a.flv", "/b.flv", 1)
	got, err := Play(t.Context(), PlayOptions{URLs: []string{url}, Viewers: 3, Window: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Sessions; s.Failed != 3 || s.Reasons["HTTP 404"] != 3 {
		t.Errorf("%+v", s)
	}
}
