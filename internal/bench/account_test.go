package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"weir/rtmp"
)

func TestQuantiles(t *testing.T) {
	h := newHistogram()
	if got := h.quantiles(); got != (Quantiles{}) {
		t.Errorf("empty: %+v", got)
	}
	for i := range 1000 {
		h.record(time.Duration(i+1) * time.Millisecond)
	}
	got := h.quantiles()
	for what, pair := range map[string][2]float64{
		"p50": {got.P50, 500}, "p90": {got.P90, 900}, "p99": {got.P99, 990}, "max": {got.Max, 1000}, "mean": {got.Mean, 500.5},
	} {
		if math.Abs(pair[0]-pair[1]) > pair[1]/500 {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	if got.Count != 1000 {
		t.Error(got.Count)
	}
}

func TestQuantilesClampWhatIsOutOfRange(t *testing.T) {
	h := newHistogram()
	h.record(-time.Second)
	h.record(time.Hour)
	if got := h.quantiles(); got.Count != 2 || math.Abs(got.Max-600_000) > 1000 {
		t.Errorf("%+v", got)
	}
}

func TestAccountComparesWithTheSampled(t *testing.T) {
	sampled, plain := &viewer{sample: &sample{}}, &viewer{}
	all := []*viewer{sampled, plain, plain, sampled}
	got := account(all, []int64{990, 1000, 100, 1010}, 5, 0)
	want := Bytes{Received: 3100, Expected: 5000, Ratio: 0.62, Short: 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := account(all, []int64{990, 800, 100, 1010}, 5, 0.2); got.Short != 1 {
		t.Errorf("with slack: %+v", got)
	}
	if got := account([]*viewer{plain}, []int64{7}, 1, 0); got != (Bytes{Received: 7}) {
		t.Errorf("without samples: %+v", got)
	}
}

func TestReasonsAreFew(t *testing.T) {
	for want, err := range map[string]error{
		"closed by the server":             fmt.Errorf("x: %w", io.EOF),
		"connection refused":               fmt.Errorf("x: %w", syscall.ECONNREFUSED),
		"NetStream.Play.StreamNotFound":    fmt.Errorf("x: %w", &rtmp.StatusError{Status: rtmp.Status{Code: rtmp.CodePlayStreamNotFound}}),
		string(rtmp.ReasonHandshakeEnded):  &rtmp.Error{Reason: rtmp.ReasonHandshakeEnded},
		"something that nobody thought of": errors.New("something that nobody thought of"),
	} {
		if got := why(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestSessionsAddUp(t *testing.T) {
	var s tally
	for range 3 {
		s.up()
	}
	s.dropped(io.EOF)
	s.failed(io.EOF)
	if got := s.sessions(); got.Up != 2 || got.Dropped != 1 || got.Failed != 1 || got.Reasons["closed by the server"] != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAcknowledgements(t *testing.T) {
	now := time.Unix(1000, 0)
	v := &drain{acks: true, acked: 100, ackedAt: now}
	v.bytes.Store(100)
	if v.ack(now.Add(time.Hour)) != nil {
		t.Error("nothing came, and it was acknowledged")
	}
	v.bytes.Store(101)
	if v.ack(now.Add(time.Second)) != nil {
		t.Error("too early")
	}
	if got := v.ack(now.Add(ackTime)); !slices.Equal(got, rtmp.AppendAck(nil, 101)) {
		t.Errorf("after the time: %x", got)
	}
	v.bytes.Store(101 + ackBytes)
	if got := v.ack(now.Add(ackTime)); !slices.Equal(got, rtmp.AppendAck(nil, 101+ackBytes)) {
		t.Errorf("after the bytes: %x", got)
	}
	v.bytes.Store(1 << 33)
	v.acks = false
	if v.ack(now.Add(time.Hour)) != nil {
		t.Error("unasked")
	}
}

func TestWheelVisitsInTime(t *testing.T) {
	var w wheel
	start := time.Unix(0, 0)
	w.turn(start)
	seen := map[*drain]time.Duration{}
	for range 1000 {
		w.add(&drain{})
	}
	for i := 1; len(seen) < 1000 && i <= 2*wheelSlots; i++ {
		now := start.Add(time.Duration(i) * wheelTick)
		for _, v := range w.turn(now) {
			seen[v] = now.Sub(start)
		}
	}
	if len(seen) != 1000 {
		t.Fatalf("%d of 1000 were visited", len(seen))
	}
	for _, d := range seen {
		if d < lazyMin || d > lazyMax {
			t.Fatalf("visited after %v", d)
		}
	}
}

func TestWheelCatchesUp(t *testing.T) {
	var w wheel
	w.turn(time.Unix(0, 0))
	for range 100 {
		w.add(&drain{})
	}
	if got := len(w.turn(time.Unix(5, 0))); got != 100 {
		t.Errorf("after a pause: %d of 100", got)
	}
}
