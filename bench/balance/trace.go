package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// trace says what a trace is drawn from.
type trace struct {
	Seed       uint64        `json:"seed"`
	Publishers int           `json:"publishers"` // at a time, on average
	Length     time.Duration `json:"length_ns"`
	Begin      time.Duration `json:"begin_ns"` // within which the first ones come
	Life       time.Duration `json:"life_ns"`  // mean of a session's length, which is exponential
	// Returning is the part of those that come who have been there before in this trace, and then send what they sent.
	Returning float64       `json:"returning"`
	Away      time.Duration `json:"away_ns"` // that a stream stays away at least
	// Bitrates are log-normal, bits per second, cut at both ends.
	Median   float64 `json:"median_bps"`
	Sigma    float64 `json:"sigma"`
	Smallest float64 `json:"smallest_bps"`
	Largest  float64 `json:"largest_bps"`
}

// shortestLife keeps sessions long enough to be seen at all.
const shortestLife = 2 * time.Second

// visit is one publisher's session.
type visit struct {
	Stream     int           `json:"stream"`
	Run        uint64        `json:"run"` // of the stream, from 1
	From       time.Duration `json:"from_ns"`
	To         time.Duration `json:"to_ns"` // beyond the trace's length: stays to the end
	BitrateBPS float64       `json:"bitrate_bps"`
}

func (v *visit) name() string { return fmt.Sprintf("s%d", v.Stream) }

// draw draws the sessions, in the order in which they begin. The number that is there at a time is that of a queue
// with endless servers: Poisson, about the mean.
func (t *trace) draw() []visit {
	rng := rand.New(rand.NewPCG(t.Seed, 0))
	var all []visit
	var last []int // by stream: its last session
	come := func(at time.Duration) {
		i, run := len(last), uint64(1)
		bitrate := t.Median * math.Exp(t.Sigma*rng.NormFloat64())
		for bitrate < t.Smallest || bitrate > t.Largest {
			bitrate = t.Median * math.Exp(t.Sigma*rng.NormFloat64())
		}
		life := shortestLife + time.Duration(rng.ExpFloat64()*float64(t.Life-shortestLife))
		again := rng.Float64() < t.Returning
		var away []int
		for s, v := range last {
			if all[v].To+t.Away <= at {
				away = append(away, s)
			}
		}
		if again && len(away) > 0 {
			i = away[rng.IntN(len(away))]
			bitrate, run = all[last[i]].BitrateBPS, all[last[i]].Run+1
		} else {
			last = append(last, 0)
		}
		last[i] = len(all)
		all = append(all, visit{i, run, at, at + life, bitrate})
	}
	for i := range t.Publishers {
		come(t.Begin * time.Duration(i) / time.Duration(t.Publishers))
	}
	every := float64(t.Life) / float64(t.Publishers)
	// Those that have gone within the beginning are replaced too.
	for at := time.Duration(rng.ExpFloat64() * every); at < t.Length; at += time.Duration(rng.ExpFloat64() * every) {
		if at < t.Begin && rng.Float64() > float64(at)/float64(t.Begin) {
			continue // as many are there to go by then
		}
		come(at)
	}
	slices.SortStableFunc(all, func(a, b visit) int { return cmp.Compare(a.From, b.From) })
	return all
}

// facts are a trace in numbers, for the reader.
type facts struct {
	Sessions  int     `json:"sessions"`
	Streams   int     `json:"streams"`
	Returned  int     `json:"returned"` // sessions of streams that had been there
	Alive     float64 `json:"alive"`    // at a time, after the warm-up
	Mean      float64 `json:"mean_bps"` // of a session
	Total     float64 `json:"total_bps"`
	Deviation float64 `json:"deviation"` // of a bitrate, of the mean
}

func (t *trace) facts(visits []visit, warmup time.Duration) (f facts) {
	var squares float64
	for i := range visits {
		v := &visits[i]
		f.Sessions++
		f.Streams = max(f.Streams, v.Stream+1)
		if v.Run > 1 {
			f.Returned++
		}
		f.Mean += v.BitrateBPS
		squares += v.BitrateBPS * v.BitrateBPS
		there := float64(min(v.To, t.Length)-max(v.From, warmup)) / float64(t.Length-warmup)
		if there > 0 {
			f.Alive += there
			f.Total += there * v.BitrateBPS
		}
	}
	n := float64(f.Sessions)
	f.Mean /= n
	f.Deviation = math.Sqrt(squares/n-f.Mean*f.Mean) / f.Mean
	return f
}
