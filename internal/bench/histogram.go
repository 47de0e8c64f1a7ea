package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms count microseconds. Three digits are finer than what two runs agree on.
const (
	histogramMin    = 1
	histogramMax    = int64(10 * time.Minute / time.Microsecond)
	histogramDigits = 3
)

// histogram collects durations from many goroutines.
type histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newHistogram() *histogram {
	return &histogram{h: hdrhistogram.New(histogramMin, histogramMax, histogramDigits)}
}

// record counts d; what is below or above the range counts as its end.
func (h *histogram) record(d time.Duration) {
	us := min(max(d.Microseconds(), histogramMin), histogramMax)
	h.mu.Lock()
	defer h.mu.Unlock()
	// The range was just enforced: there is no other error.
	_ = h.h.RecordValue(us)
}

// Quantiles summarize a histogram, in milliseconds.
type Quantiles struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

func (h *histogram) quantiles() Quantiles {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.h.TotalCount() == 0 {
		return Quantiles{}
	}
	at := func(p float64) float64 { return float64(h.h.ValueAtPercentile(p)) / 1000 }
	return Quantiles{
		Count: h.h.TotalCount(), Mean: h.h.Mean() / 1000,
		P50: at(50), P90: at(90), P99: at(99), Max: float64(h.h.Max()) / 1000,
	}
}
