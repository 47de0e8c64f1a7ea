package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"weir/bench/rig"
)

// report is everything that a run found.
type report struct {
	rig.Where
	Took    string        `json:"took"`
	Load    string        `json:"machine_load"` // when it ended: others' work included
	HAProxy string        `json:"haproxy"`
	Servers []float64     `json:"capacities"`
	Trace   trace         `json:"trace"` // of the first round
	Warmup  time.Duration `json:"warmup_ns"`
	Window  time.Duration `json:"window_ns"`
	Rounds  []round       `json:"rounds"`
	Trials  []trial       `json:"trials"`
}

// round is a trace and what placers that exist here alone make of it.
type round struct {
	Seed   uint64    `json:"seed"`
	Facts  facts     `json:"facts"`
	Visits []visit   `json:"visits"`
	Ideal  []figures `json:"ideal"` // by placers
}

func newReport(where rig.Where, p *plan) *report {
	return &report{Where: where, HAProxy: rig.FirstLine(rig.Path("haproxy"), "-v"), Servers: p.capacity,
		Trace: p.trace, Warmup: p.warmup, Window: p.window}
}

// add draws a round's trace.
func (r *report) add(p *plan, i int) []visit {
	t := p.trace
	t.Seed += uint64(i)
	visits := t.draw()
	n := round{Seed: t.Seed, Facts: t.facts(visits, p.warmup), Visits: visits}
	for _, pl := range placers() {
		n.Ideal = append(n.Ideal, judge(ideal(pl, visits, p.capacity, t.Length), p.capacity, p.warmup, p.window))
	}
	r.Rounds = append(r.Rounds, n)
	return visits
}

// save writes the report in both forms.
func (r *report) save(dir string) error {
	r.Took = time.Since(r.Began).Round(time.Second).String()
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return r.Save(dir, "balance", map[string][]byte{".json": append(raw, '\n'), ".md": r.markdown()})
}

// markdown is the report as a page of tables.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	t := &r.Trace
	b.WriteString(r.Title("Publishers over three nginx-rtmp"))
	fmt.Fprintf(&b, "%s; load %s with others' work; %s; capacities %s; %d interleaved rounds; the run took %s.\n\n",
		&r.Where, r.Load, r.HAProxy, strings.Trim(fmt.Sprint(r.Servers), "[]"), len(r.Rounds), r.Took)
	fmt.Fprintf(&b, "The figure is traffic per capacity of the busiest server over that of all, from bytes_in of each /stat, "+
		"in windows of %s that slide by a second, after %s; 1 is even, wanted is %.2f. Publishers are not moved.\n\n", r.Window, r.Warmup, target)
	fmt.Fprintf(&b, "Each trace: %s, %d publishers at a time on average, sessions of %s on average (exponential), arrivals at random (Poisson), "+
		"bitrates log-normal about %.1f Mb/s with σ = %.1f, none below %.1f or above %.1f Mb/s; a part of %.1f of those that come "+
		"have been there before, %s ago at least (which is also Weir's place.sticky: time is compressed, sessions of minutes would be kinder). "+
		"A round has a trace of its own:\n\n", t.Length, t.Publishers, t.Life, t.Median/1e6, t.Sigma, t.Smallest/1e6, t.Largest/1e6, t.Returning, t.Away)
	b.WriteString("| round | seed | sessions | streams | returned | at a time | Mb/s in all | a bitrate's deviation |\n|---|---|---|---|---|---|---|---|\n")
	for i, n := range r.Rounds {
		f := &n.Facts
		fmt.Fprintf(&b, "| %d | %d | %d | %d | %d | %.1f | %.1f | %.0f %% |\n", i+1, n.Seed, f.Sessions, f.Streams, f.Returned, f.Alive, f.Total/1e6, 100*f.Deviation)
	}
	b.WriteString("\n## Measured\n\n| | round | p50 | p95 | max | whole run | windows within | Mb/s | refused, broken |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range contenders {
		var all []figures
		var mbps []float64
		refused, broken := 0, 0
		for _, t := range r.Trials {
			switch {
			case t.Contender != c:
			case t.Error != "":
				fmt.Fprintf(&b, "| %s | %d | failed: %s | | | | | | |\n", c, t.Round+1, t.Error)
			default:
				f := &t.Figures
				fmt.Fprintf(&b, "| %s | %d | %.3f | %.3f | %.3f | %.3f | %.0f %% | %.1f | %d, %d |\n", c, t.Round+1, f.P50, f.P95, f.Max, f.Whole, 100*f.Within, t.Sent/1e6, t.Refused, t.Broken)
				all, mbps = append(all, *f), append(mbps, t.Sent/1e6)
				refused, broken = refused+t.Refused, broken+t.Broken
			}
		}
		if len(all) > 0 {
			fmt.Fprintf(&b, "| **%s** | median | %s | %.1f | %d, %d |\n", c, medians(all), quantile(mbps, 0.5), refused, broken)
		}
	}
	b.WriteString("\n## What the traces allow\n\nPlacers without network and delay on the same traces, computed; medians of the rounds.\n\n" +
		"| | p50 | p95 | max | whole run | windows within |\n|---|---|---|---|---|---|\n")
	for i, pl := range placers() {
		var all []figures
		for _, n := range r.Rounds {
			all = append(all, n.Ideal[i])
		}
		fmt.Fprintf(&b, "| %s | %s |\n", pl.name, medians(all))
	}
	return b.Bytes()
}

// medians are cells.
func medians(all []figures) string {
	m := func(of func(*figures) float64) float64 {
		var v []float64
		for i := range all {
			v = append(v, of(&all[i]))
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	return fmt.Sprintf("%.3f | %.3f | %.3f | %.3f | %.0f %%", m(func(f *figures) float64 { return f.P50 }), m(func(f *figures) float64 { return f.P95 }),
		m(func(f *figures) float64 { return f.Max }), m(func(f *figures) float64 { return f.Whole }), 100*m(func(f *figures) float64 { return f.Within }))
}
