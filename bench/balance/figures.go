package main

import (
	"math"
	"slices"
	"time"
)

// sample is what the servers had received in all by a time, in bytes.
type sample struct {
	At    time.Duration `json:"at_ns"` // since the trace began
	Bytes []float64     `json:"bytes"` // by server
}

// figures say how even the traffic was. 1 is even.
type figures struct {
	P50   float64 `json:"p50"` // of the windows
	P95   float64 `json:"p95"`
	Max   float64 `json:"max"`
	Whole float64 `json:"whole"` // over the whole time after the warm-up
	// Within is the part of the windows that are not above the target.
	Within  float64   `json:"within"`
	Windows []float64 `json:"windows"`
	Shares  []float64 `json:"shares"` // of all the traffic, by server
}

// target is what issue and documentation promise of traffic per capacity, of the busiest over the mean.
const target = 1.15

// evenness is the traffic per capacity between two samples, of the server that has most over
// that of all together; 0 if there was none.
func evenness(a, b *sample, capacity []float64) float64 {
	var most, bytes, all float64
	for i, c := range capacity {
		d := b.Bytes[i] - a.Bytes[i]
		most = max(most, d/c)
		bytes += d
		all += c
	}
	if bytes <= 0 {
		return 0
	}
	return most * all / bytes
}

// judge makes figures of samples; those before the warm-up do not count.
func judge(samples []sample, capacity []float64, warmup, window time.Duration) (f figures) {
	from := slices.IndexFunc(samples, func(s sample) bool { return s.At >= warmup })
	if from < 0 || len(samples)-from < 2 {
		return f
	}
	samples = samples[from:]
	end := 0
	within := 0
	for i := range samples {
		for end < len(samples) && samples[end].At < samples[i].At+window-window/20 { // a sample is never quite in time
			end++
		}
		if end == len(samples) {
			break
		}
		e := evenness(&samples[i], &samples[end], capacity)
		f.Windows = append(f.Windows, e)
		if e <= target {
			within++
		}
	}
	first, last := &samples[0], &samples[len(samples)-1]
	f.Whole = evenness(first, last, capacity)
	var all float64
	for i := range capacity {
		f.Shares = append(f.Shares, last.Bytes[i]-first.Bytes[i])
		all += last.Bytes[i] - first.Bytes[i]
	}
	for i := range f.Shares {
		f.Shares[i] /= max(all, 1)
	}
	if len(f.Windows) == 0 {
		return f
	}
	f.P50, f.P95, f.Max = quantile(f.Windows, 0.5), quantile(f.Windows, 0.95), slices.Max(f.Windows)
	f.Within = float64(within) / float64(len(f.Windows))
	return f
}

// quantile is the nearest rank.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[max(int(math.Ceil(q*float64(len(s))))-1, 0)]
}
