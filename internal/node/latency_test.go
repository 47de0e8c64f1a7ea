package node

import (
	"testing"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/config"
	"weir/internal/stream"
)

// What the file says of an application is how the hub serves its viewers.
func TestLatencyOfAnApplicationArrivesInTheHub(t *testing.T) {
	cfg, err := config.Parse("weir.yaml", []byte(`
play: {max_latency: 80ms}
apps:
  talk: {play: {low_latency: true}}
  events: {play: {max_latency: 350ms}}
  calm: {play: {max_latency: 350ms, low_latency: true}}
`))
	if err != nil {
		t.Fatal(err)
	}
	n := &node{cfg: cfg}
	h := live.NewHub(n.hubOptions())
	defer h.Close()
	for app, want := range map[string]live.Latency{
		"live":   {Max: 80 * time.Millisecond},
		"talk":   {Max: live.LowLatency, Low: true},
		"events": {Max: 350 * time.Millisecond},
		"calm":   {Max: live.LowLatency, Low: true},
	} {
		s := h.Open(stream.Name{App: app, Stream: "x"})
		if got := s.Latency(); got != want {
			t.Errorf("%s: %+v, want %+v", app, got, want)
		}
		s.Release()
	}
}
