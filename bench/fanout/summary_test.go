package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/bench/rig"
	"weir/internal/bench"
)

// example is a report of two contenders, two loads and three rounds.
func example() *report {
	r := &report{Rounds: 3, contenders: []string{"weir", "nginx"}, against: []string{"floor-send", "nginx"}, loads: []load{{100, 1, 1.1, bench.Lazy}, {500, 1, 1.1, bench.Lazy}}}
	for round := range 3 {
		for _, l := range r.loads {
			for i, c := range r.contenders {
				r.Trials = append(r.Trials, trial{Contender: c, Load: l, Round: round, Play: &bench.PlayResult{
					Latency: bench.Quantiles{P50: 1, P99: 10},
					Bytes:   bench.Bytes{Received: 1, Ratio: 1},
					Server:  &bench.Server{PerGB: float64((round + 1) * (i + 1))},
				}})
			}
		}
	}
	return r
}

// The machine is three times slower in the last round; the ratio does not see it.
func TestRatioIsTakenRoundByRound(t *testing.T) {
	r := example()
	if got := r.ratio("weir", "nginx", r.loads[0]); got != (rig.Spread{Median: 0.5, Min: 0.5, Max: 0.5, N: 3}) {
		t.Errorf("%+v", got)
	}
	if got := r.of("weir", r.loads[1]).perGB; got != (rig.Spread{Median: 2, Min: 1, Max: 3, N: 3}) {
		t.Errorf("%+v", got)
	}
}

func TestFailedTrialsAreShown(t *testing.T) {
	r := example()
	r.Trials[0].Error = "it fell over"
	s := r.of("weir", r.loads[0])
	if s.failed != 1 || s.perGB.N != 2 || s.trouble() != "1 trials" {
		t.Errorf("%+v", s)
	}
	if table := string(r.markdown()); !strings.Contains(table, "| 100 | weir | 2 | 2.500 (2.000–3.000) | 0.50 (0.50–0.50) |") || !strings.Contains(table, "1 trials") {
		t.Error(table)
	}
}

// Viewers that saw nothing, or too little, are no good run, whatever else it was.
func TestViewersWithoutAPictureAreShown(t *testing.T) {
	r := example()
	r.Trials[0].Play.Join.NoKey = 3
	r.Trials[0].Play.Bytes.Short = 5
	r.Trials[4].Play.Sessions.Dropped = 1
	if got := r.of("weir", r.loads[0]).trouble(); got != "1 viewers, 3 without a picture, 5 short" {
		t.Error(got)
	}
	if got := r.of("nginx", r.loads[0]).trouble(); got != "0" {
		t.Error(got)
	}
}

// An interrupted run has fewer rounds of some rows than of others.
func TestEachRowSaysItsRounds(t *testing.T) {
	for _, joins := range []bool{false, true} {
		r := example()
		r.joins = joins
		r.Trials = r.Trials[:len(r.Trials)-3] // the last round ends after its first trial
		table := string(r.markdown())
		for _, want := range []string{"3 at most", "| 100 | weir | 3 |", "| 100 | nginx | 2 |", "| 500 | weir | 2 |", "| 500 | nginx | 2 |"} {
			if !strings.Contains(table, want) {
				t.Errorf("joins %v: no %q in\n%s", joins, want, table)
			}
		}
	}
}

// A trial among the deaf without the deaf is none.
func TestTrialNeedsItsDeaf(t *testing.T) {
	viewers := filepath.Join(t.TempDir(), "viewers")
	if err := os.WriteFile(viewers, []byte("#!/bin/sh\necho '{\"deaf\": 1}'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for deaf, ok := range map[int]bool{0: true, 1: true, 2: false} {
		p, tr := plan{deaf: deaf}, trial{}
		err := p.play(t.Context(), &tools{weir: viewers}, &server{}, &tr)
		if tr.Play == nil || (err == nil) != ok {
			t.Errorf("%d deaf: %v, %+v", deaf, err, tr.Play)
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	for _, r := range []*report{example(), {contenders: []string{"a<b"}}} {
		d := xml.NewDecoder(strings.NewReader(string(r.plot())))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestContenders(t *testing.T) {
	for _, s := range []string{"weir", "weir@limits.viewer_lag=3s", "nginx", "floor-send", "floor-nodelay", "floor-writev100", "floor-sendfile350", "srs=rtmp://h/live/a,77"} {
		c, err := parseContender(&tools{}, s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if name, _, _ := strings.Cut(s, "="); !strings.HasPrefix(c.name(), name) {
			t.Errorf("%s is called %s", s, c.name())
		}
	}
	for _, s := range []string{"", "srs", "srs=rtmp://h/live/a", "floor-", "floor-writev", "weir@x"} {
		if c, err := parseContender(&tools{}, s); err == nil {
			t.Errorf("%s: %+v", s, c)
		}
	}
}

func TestLoads(t *testing.T) {
	p := plan{rounds: 1}
	if err := p.parseLoads("100 500", "1.1 2.6", "lazy eager", 1); err != nil || len(p.loads) != 8 {
		t.Error(len(p.loads), err)
	}
	for _, bad := range [][3]string{{"", "1", "lazy"}, {"0", "1", "lazy"}, {"1", "0", "lazy"}, {"1", "1", "keen"}} {
		if err := (&plan{rounds: 1}).parseLoads(bad[0], bad[1], bad[2], 1); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
