package main

import (
	"slices"

	"weir/bench/rig"
)

// summary is one contender under one load, over the rounds.
type summary struct {
	contender string
	load      load
	perGB     rig.Spread // CPU-s per GB
	p50, p99  rig.Spread // added latency, ms
	gap       rig.Spread // longest gap, ms
	rss       rig.Spread // KB a viewer
	grew      rig.Spread // memory at most over that at the window's begin, MB
	bytes     rig.Spread // percent of the expectation
	core      rig.Spread // the busiest core, percent
	joined    rig.Spread // until the last one had its key frame, s
	setup     rig.Spread // server CPU a join, µs
	answer50  rig.Spread // from dial to the answer of play, ms
	answer99  rig.Spread
	key50     rig.Spread // from TCP established to the end of the first key frame, ms
	key99     rig.Spread
	faults    uint64 // frames lost, doubled or foreign, all rounds
	missing   int    // viewers failed or dropped, all rounds
	unseeing  int    // viewers without a key frame in time, all rounds
	short     int    // viewers that got too few bytes in the window, all rounds
	failed    int    // trials without a result
}

// of summarizes the report's trials of a contender under a load.
func (r *report) of(contender string, l load) summary {
	s := summary{contender: contender, load: l}
	var perGB, p50, p99, gap, rss, grew, bytes, core []float64
	var joined, setup, answer50, answer99, key50, key99 []float64
	for _, tr := range r.Trials {
		if tr.Contender != contender || tr.Load != l {
			continue
		}
		if !tr.valid() {
			s.failed++
			continue
		}
		p := tr.Play
		perGB = append(perGB, p.Server.PerGB)
		p50, p99 = append(p50, p.Latency.P50), append(p99, p.Latency.P99)
		gap = append(gap, p.LongestGap.Max)
		rss = append(rss, p.Server.RSSPerUnit/1000)
		grew = append(grew, float64(p.Server.RSS-p.Server.RSSOpen)/1e6)
		bytes = append(bytes, p.Bytes.Ratio*100)
		if len(p.Machine.Cores) > 0 {
			core = append(core, slices.Max(p.Machine.Cores)*100)
		}
		joined = append(joined, p.Join.Seconds)
		setup = append(setup, p.Server.JoinCPU/float64(max(p.Sessions.Up, 1))*1e6)
		answer50, answer99 = append(answer50, p.Join.Connect.P50), append(answer99, p.Join.Connect.P99)
		key50, key99 = append(key50, p.Join.FirstKey.P50), append(key99, p.Join.FirstKey.P99)
		s.faults += p.Frames.Lost + p.Frames.Doubled + p.Frames.Foreign
		s.missing += p.Sessions.Failed + p.Sessions.Dropped
		s.unseeing += p.Join.NoKey
		s.short += p.Bytes.Short
	}
	s.perGB, s.p50, s.p99, s.gap = rig.SpreadOf(perGB), rig.SpreadOf(p50), rig.SpreadOf(p99), rig.SpreadOf(gap)
	s.rss, s.grew, s.bytes, s.core = rig.SpreadOf(rss), rig.SpreadOf(grew), rig.SpreadOf(bytes), rig.SpreadOf(core)
	s.joined, s.setup = rig.SpreadOf(joined), rig.SpreadOf(setup)
	s.answer50, s.answer99, s.key50, s.key99 = rig.SpreadOf(answer50), rig.SpreadOf(answer99), rig.SpreadOf(key50), rig.SpreadOf(key99)
	return s
}

// valid reports whether the trial measured something.
func (tr trial) valid() bool {
	return tr.Error == "" && tr.Play != nil && tr.Play.Server != nil && tr.Play.Server.Ended == "" && tr.Play.Bytes.Received > 0
}

// ratio compares the CPU of two contenders under a load, round by round, so that the
// machine's drift between rounds falls out.
func (r *report) ratio(contender, to string, l load) rig.Spread {
	by := map[string]map[int]float64{contender: {}, to: {}}
	for _, tr := range r.Trials {
		if rounds := by[tr.Contender]; rounds != nil && tr.Load == l && tr.valid() {
			rounds[tr.Round] = tr.Play.Server.PerGB
		}
	}
	var v []float64
	for round, cost := range by[contender] {
		if other := by[to][round]; other > 0 {
			v = append(v, cost/other)
		}
	}
	return rig.SpreadOf(v)
}
