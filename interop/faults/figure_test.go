package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// target is what a time is held against: the bounds for the median and the
// 99th percentile of many runs, and the bound that even one run must keep, but for
// what the machine has kept it waiting.
type target struct{ p50, p99, always time.Duration }

// figure is one measured value over all runs, in milliseconds or as a count.
type figure struct {
	Scenario string    `json:"scenario"`
	What     string    `json:"what"`
	Unit     string    `json:"unit"` // "ms", "" for counts
	Values   []float64 `json:"values"`
	P50      float64   `json:"p50"`
	P99      float64   `json:"p99"`
	Max      float64   `json:"max"`
	Target   string    `json:"target"`
	Met      bool      `json:"met"`
	Note     string    `json:"note,omitempty"`

	Bounds bounds `json:"bounds"` // the target, for whoever goes on with the bench
	target target
}

// bounds is a target in milliseconds.
type bounds struct {
	P50    float64 `json:"p50,omitempty"`
	P99    float64 `json:"p99,omitempty"`
	Always float64 `json:"always,omitempty"`
}

func (b bounds) target() target {
	d := func(x float64) time.Duration { return time.Duration(x * float64(ms)) }
	return target{d(b.P50), d(b.P99), d(b.Always)}
}

func (t target) bounds() bounds {
	x := func(d time.Duration) float64 { return float64(d) / float64(ms) }
	return bounds{x(t.p50), x(t.p99), x(t.always)}
}

// figure adds values of one run.
func (s *story) figure(what, unit string, t target, values ...float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.measured, func(g *figure) bool { return g.What == what })
	if i < 0 {
		i = len(s.measured)
		s.measured = append(s.measured, &figure{Scenario: s.name, What: what, Unit: unit, target: t, Bounds: t.bounds()})
	}
	s.measured[i].Values = append(s.measured[i].Values, values...)
}

// gap takes times, one of each viewer, and holds them against their bound.
func (s *story) gap(what string, t target, times ...time.Duration) {
	s.t.Helper()
	var values []float64
	for _, d := range times {
		values = append(values, float64(d.Microseconds())/1000)
	}
	longest := slices.Max(times)
	s.note("%s: %v", what, longest.Round(ms))
	s.t.Logf("%s: %v", what, longest.Round(ms))
	s.figure(what, "ms", t, values...)
	s.odd = s.odd || *full && t.p99 > 0 && longest > t.p99
	if longest > t.always {
		if excuse := s.excuse(); longest > t.always+excuse {
			s.t.Errorf("%s: %v, want no more than %v; the machine has kept all of it waiting for %v", what, longest.Round(ms), t.always, excuse.Round(ms))
		}
	}
}

// zero takes a count that must be none.
func (s *story) zero(what string, n int) {
	s.t.Helper()
	s.figure(what, "", target{}, float64(n))
	if n != 0 {
		s.t.Errorf("%s: %d", what, n)
	}
}

// clean takes what the viewers count. Frames that are lost are only forbidden where
// the fault is none of the kind that loses what is under way.
func (s *story) clean(viewers []*viewer, lossless bool) {
	s.t.Helper()
	var doubled, foreign, backwards, other, lost uint64
	closed := 0
	for _, v := range viewers {
		r := v.report()
		doubled += r.Doubled
		foreign += r.Foreign
		backwards += r.Backwards
		other += r.Unstamped + r.HeadersMissing + r.KeyMissing
		lost += r.Lost
		closed += v.closes()
		if f := r.Faults(); f != "" {
			s.note("viewer of %s: %s", v.where, f)
		}
	}
	s.zero("viewer closes", closed)
	s.zero("frames doubled", int(doubled))
	s.zero("frames foreign", int(foreign))
	s.zero("frames out of order", int(backwards))
	s.zero("frames damaged or before their headers", int(other))
	if lossless {
		s.zero("frames lost", int(lost))
	} else {
		s.figure("frames lost (not promised)", "", target{always: -ms}, float64(lost))
	}
}

func gaps(viewers []*viewer) []time.Duration {
	var out []time.Duration
	for _, v := range viewers {
		out = append(out, v.gap())
	}
	return out
}

func (f *figure) finish() {
	v := slices.Sorted(slices.Values(f.Values))
	at := func(q float64) float64 { return v[min(len(v)-1, int(q*float64(len(v))))] }
	f.P50, f.P99, f.Max = at(0.5), at(0.99), v[len(v)-1]
	within := func(x float64, d time.Duration) bool { return d == 0 || x <= float64(d.Microseconds())/1000 }
	switch t := f.target; {
	case f.Unit == "" && t.always < 0:
		f.Target, f.Met = "–", true
	case f.Unit == "":
		f.Target, f.Met = "0", f.Max == 0
	default:
		var words []string
		if t.p50 > 0 {
			words = append(words, fmt.Sprintf("p50 ≤ %d", t.p50.Milliseconds()))
		}
		if t.p99 > 0 {
			words = append(words, fmt.Sprintf("p99 ≤ %d", t.p99.Milliseconds()))
		}
		f.Target = strings.Join(words, ", ")
		if f.Target == "" {
			f.Target = "–"
		}
		f.Met = within(f.P50, t.p50) && within(f.P99, t.p99)
	}
}
