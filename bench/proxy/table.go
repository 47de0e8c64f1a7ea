package main

import (
	"bytes"
	"fmt"
	"slices"

	"weir/bench/rig"
	"weir/internal/bench"
)

// column is a figure of trials, in a table of contenders.
type column struct {
	head   string
	digits int
	figure func(*trial) float64
	// against makes it a comparison with the situation's own contender, round by round. Nil: as it is.
	against func(own, other float64) float64
}

func over(own, other float64) float64 { return own / other }
func more(own, other float64) float64 { return own - other }

func cost(t *trial) float64 { v, _ := t.perGB(); return v }

func answered(t *trial) float64 { return t.Play.Join.Connect.P50 }

func busiest(m bench.Machine) float64 { return 100 * slices.Max(append(m.Cores, 0)) }

// watching are the columns of viewers, carrying those of publishers, beginning those of
// sessions that begin.
func watching(against string) []column {
	return []column{
		{"CPU-s/GB", 3, cost, nil},
		{"× " + against, 2, cost, over},
		{"latency p50, ms", 1, func(t *trial) float64 { return t.Play.Latency.P50 }, nil},
		{"p99", 1, func(t *trial) float64 { return t.Play.Latency.P99 }, nil},
		{"KB a session", 1, func(t *trial) float64 { return t.Play.Server.RSSPerUnit / 1e3 }, nil},
		{"bytes, %", 1, func(t *trial) float64 { return t.Play.Bytes.Ratio * 100 }, nil},
		{"busiest core, %", 0, func(t *trial) float64 { return busiest(t.Play.Machine) }, nil},
	}
}

func carrying(against string) []column {
	return []column{
		{"CPU-s/GB", 3, cost, nil},
		{"× " + against, 2, cost, over},
		{"CPU of joins, s", 2, func(t *trial) float64 { return t.Publish.Server.JoinCPU }, nil},
		{"× " + against, 2, func(t *trial) float64 { return t.Publish.Server.JoinCPU }, over},
		{"MB", 0, func(t *trial) float64 { return float64(t.Publish.Server.RSS) / 1e6 }, nil},
		{"bytes, %", 1, func(t *trial) float64 { return 100 * float64(t.Publish.Sent) / float64(max(t.Publish.Expected, 1)) }, nil},
		{"busiest core, %", 0, func(t *trial) float64 { return busiest(t.Publish.Machine) }, nil},
	}
}

func beginning(against string) []column {
	return []column{
		{"dial to play answered, p50 ms", 2, answered, nil},
		{"p99", 2, func(t *trial) float64 { return t.Play.Join.Connect.P99 }, nil},
		{"more than " + against + ", p50 ms", 2, answered, more},
	}
}

// markdown is the report as a page of tables.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(r.Title("In front of other servers"))
	fmt.Fprintf(&b, "%s; %s, option splice-auto; median of %d interleaved rounds (least–greatest); the run took %s.\n", &r.Where, r.HAProxy, r.Rounds, r.Took)
	b.WriteString("CPU is the proxy's user and system time, all threads, per GB that passed (of `direct`: the backend's own); × compares round by round.\n" +
		"weir@50ms and weir@2ms are front.splice_latency. Latency is the age of frames at sampled viewers. Viewers read lazily.\n" +
		"CPU of joins is from the first dial to the last answer, with the media sent meanwhile.\n")
	for _, s := range situations() {
		if slices.ContainsFunc(r.Trials, func(t trial) bool { return t.Situation == s.name }) {
			r.table(&b, &s)
		}
	}
	return b.Bytes()
}

func (r *report) table(b *bytes.Buffer, s *situation) {
	fmt.Fprintf(b, "\n## %s\n\n| sessions | |", s.title)
	for _, c := range s.columns {
		fmt.Fprintf(b, " %s |", c.head)
	}
	b.WriteString(" faults |\n|---|---|")
	for range s.columns {
		b.WriteString("---|")
	}
	b.WriteString("---|\n")
	var loads []int
	var contenders []string
	for _, t := range r.Trials {
		if t.Situation == s.name {
			loads, contenders = append(loads, t.Load), append(contenders, t.Contender)
		}
	}
	slices.Sort(contenders)
	for _, load := range unique(loads) {
		for _, c := range unique(contenders) {
			r.row(b, s, load, c)
		}
	}
}

// unique keeps the first of each.
func unique[T comparable](list []T) (u []T) {
	for _, v := range list {
		if !slices.Contains(u, v) {
			u = append(u, v)
		}
	}
	return u
}

func (r *report) row(b *bytes.Buffer, s *situation, load int, contender string) {
	fmt.Fprintf(b, "| %d | %s |", load, contender)
	for _, c := range s.columns {
		var v []float64
		other := r.rounds(s.name, load, s.against, c.figure)
		for round, own := range r.rounds(s.name, load, contender, c.figure) {
			if c.against == nil {
				v = append(v, own)
			} else if o, ok := other[round]; ok {
				v = append(v, c.against(own, o))
			}
		}
		fmt.Fprintf(b, " %s |", rig.SpreadOf(v).Format(c.digits))
	}
	faults, bad := 0, 0
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Situation != s.name || t.Load != load || t.Contender != contender {
			continue
		}
		if _, ok := t.perGB(); !ok {
			bad++
		} else {
			faults += t.faults()
		}
	}
	fmt.Fprintf(b, " %d frames or sessions, %d trials |\n", faults, bad)
}

// rounds are a figure of a contender's trials that are worth something, by round.
func (r *report) rounds(situation string, load int, contender string, figure func(*trial) float64) map[int]float64 {
	by := map[int]float64{}
	for i := range r.Trials {
		t := &r.Trials[i]
		if _, ok := t.perGB(); ok && t.Situation == situation && t.Load == load && t.Contender == contender {
			by[t.Round] = figure(t)
		}
	}
	return by
}
