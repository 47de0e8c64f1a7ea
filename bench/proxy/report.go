package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// report is everything that a run found.
type report struct {
	Began      time.Time `json:"began"`
	Took       string    `json:"took"`
	Commit     string    `json:"commit"`
	Cores      int       `json:"cores"`
	Kernel     string    `json:"kernel"`
	Congestion string    `json:"congestion_control"`
	HAProxy    string    `json:"haproxy"`
	Rounds     int       `json:"rounds"`
	Trials     []trial   `json:"trials"`
}

func newReport(p *plan, congestion string) *report {
	return &report{Began: time.Now().UTC().Truncate(time.Second), Commit: firstLine("git", "describe", "--always", "--dirty", "--abbrev=12"),
		Cores: runtime.NumCPU(), Kernel: kernel(), Congestion: congestion, Rounds: p.rounds,
		HAProxy: fmt.Sprintf("%s, nbthread %d", firstLine("haproxy", "-v"), p.haproxyThreads)}
}

func firstLine(command ...string) string {
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

func kernel() string {
	var u syscall.Utsname
	if syscall.Uname(&u) != nil {
		return "unknown"
	}
	var s []byte
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		s = append(s, byte(c))
	}
	return string(s)
}

// save writes the report in both forms.
func (r *report) save(dir string) error {
	r.Took = time.Since(r.Began).Round(time.Second).String()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	base := filepath.Join(dir, "proxy-"+r.Began.Format("20060102-150405"))
	if err := os.WriteFile(base+".json", append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(base+".md", r.markdown(), 0o644)
}

// markdown is the report as a page of tables.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# In front of other servers, %s\n\n", r.Began.Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(&b, "Commit %s; %d cores, Linux %s, loopback, congestion control %s; %s, option splice-auto; median of %d interleaved rounds (least–greatest); the run took %s.\n",
		r.Commit, r.Cores, r.Kernel, r.Congestion, r.HAProxy, r.Rounds, r.Took)
	b.WriteString("CPU is the proxy's user and system time, all threads, per GB that passed (of `direct`: the backend's own); × compares round by round.\n" +
		"weir@50ms and weir@2ms are front.splice_latency. Latency is the age of frames at sampled viewers. Viewers read lazily.\n")
	for _, s := range situations() {
		var loads []int
		for _, t := range r.Trials {
			if t.Situation == s.name && !slices.Contains(loads, t.Load) {
				loads = append(loads, t.Load)
			}
		}
		if len(loads) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.name == "setup" {
			b.WriteString("| | dial to play answered, p50 ms | p99 | more than direct, p50 ms |\n|---|---|---|---|\n")
		} else {
			fmt.Fprintf(&b, "| sessions | | CPU-s/GB | × %s | latency p50, ms | p99 | KB a session | bytes, %% | busiest core, %% | faults |\n|---|---|---|---|---|---|---|---|---|---|\n", s.against)
		}
		for _, load := range loads {
			for _, c := range r.contenders(s.name) {
				r.row(&b, &s, load, c)
			}
		}
	}
	return b.Bytes()
}

func (r *report) contenders(situation string) (names []string) {
	for _, t := range r.Trials {
		if t.Situation == situation && !slices.Contains(names, t.Contender) {
			names = append(names, t.Contender)
		}
	}
	slices.Sort(names)
	return names
}

// column gathers a figure of a contender's trials by round.
func (r *report) column(situation string, load int, contender string, figure func(*trial) float64) map[int]float64 {
	by := map[int]float64{}
	for i := range r.Trials {
		t := &r.Trials[i]
		if _, ok := t.perGB(); ok && t.Situation == situation && t.Load == load && t.Contender == contender {
			by[t.Round] = figure(t)
		}
	}
	return by
}

func (r *report) row(b *bytes.Buffer, s *situation, load int, c string) {
	cell := func(digits int, figure func(*trial) float64) string {
		return spread(values(r.column(s.name, load, c, figure)), digits)
	}
	if s.name == "setup" {
		p50 := func(t *trial) float64 { return t.Play.Join.Connect.P50 }
		own, direct := r.column(s.name, load, c, p50), r.column(s.name, load, s.against, p50)
		var more []float64
		for round, v := range own {
			if d, ok := direct[round]; ok {
				more = append(more, v-d)
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c, cell(2, p50), cell(2, func(t *trial) float64 { return t.Play.Join.Connect.P99 }), spread(more, 2))
		return
	}
	cost := func(t *trial) float64 { v, _ := t.perGB(); return v }
	own, other := r.column(s.name, load, c, cost), r.column(s.name, load, s.against, cost)
	var ratio []float64
	for round, v := range own {
		if o := other[round]; o > 0 {
			ratio = append(ratio, v/o)
		}
	}
	play := func(digits int, figure func(*trial) float64) string {
		return cell(digits, func(t *trial) float64 {
			if t.Play == nil {
				return 0
			}
			return figure(t)
		})
	}
	faults, bad := 0, 0
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Situation != s.name || t.Load != load || t.Contender != c {
			continue
		}
		if _, ok := t.perGB(); !ok {
			bad++
		} else if t.Play != nil {
			faults += int(t.Play.Frames.Lost+t.Play.Frames.Doubled+t.Play.Frames.Foreign) + t.Play.Sessions.Failed + t.Play.Sessions.Dropped
		} else {
			faults += t.Publish.Sessions.Failed + t.Publish.Sessions.Dropped
		}
	}
	fmt.Fprintf(b, "| %d | %s | %s | %s | %s | %s | %s | %s | %s | %d frames or sessions, %d trials |\n", load, c, cell(3, cost), spread(ratio, 2),
		play(1, func(t *trial) float64 { return t.Play.Latency.P50 }), play(1, func(t *trial) float64 { return t.Play.Latency.P99 }),
		play(1, func(t *trial) float64 { return t.Play.Server.RSSPerUnit / 1000 }), play(1, func(t *trial) float64 { return t.Play.Bytes.Ratio * 100 }),
		play(0, func(t *trial) float64 { return 100 * slices.Max(append(t.Play.Machine.Cores, 0)) }), faults, bad)
}

func values(by map[int]float64) (v []float64) {
	for _, x := range by {
		v = append(v, x)
	}
	return v
}

// spread is the median with the least and the greatest.
func spread(v []float64, digits int) string {
	if len(v) == 0 {
		return "–"
	}
	slices.Sort(v)
	m := v[len(v)/2]
	if len(v)%2 == 0 {
		m = (v[len(v)/2-1] + m) / 2
	}
	if len(v) == 1 {
		return fmt.Sprintf("%.*f", digits, m)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, m, digits, v[0], digits, v[len(v)-1])
}
