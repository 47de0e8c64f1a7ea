package faults_test

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
	"time"
)

// target is what a time is held against: the bounds for the median and the
// 99th percentile of many runs, and the bound that even one run on a loaded machine
// must keep.
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

// sheet collects the figures of a run of the bench.
type sheet struct{ all []*figure }

var figures sheet

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
		s.t.Errorf("%s: %v, want no more than %v", what, longest.Round(ms), t.always)
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

// machine says what the figures were measured on.
type machine struct {
	Commit string    `json:"commit"`
	Began  time.Time `json:"began"`
	Runs   int       `json:"runs"`
	Full   bool      `json:"full_scale"`
	Cores  int       `json:"cores"`
	CPU    string    `json:"cpu"`
	Kernel string    `json:"kernel"`
	Etcd   string    `json:"etcd"`
}

func thisMachine() machine {
	m := machine{Began: time.Now().UTC(), Runs: *runs, Full: *full, Cores: runtime.NumCPU()}
	output := func(argv ...string) string {
		out, _ := exec.Command(argv[0], argv[1:]...).Output()
		first, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(first)
	}
	m.Commit = output("git", "describe", "--always", "--dirty")
	m.Kernel = output("uname", "-r")
	m.Etcd = strings.TrimPrefix(output("etcd", "--version"), "etcd Version: ")
	info, _ := os.ReadFile("/proc/cpuinfo")
	for l := range bytes.Lines(info) {
		if key, value, ok := bytes.Cut(l, []byte(":")); ok && string(bytes.TrimSpace(key)) == "model name" {
			m.CPU = string(bytes.TrimSpace(value))
			break
		}
	}
	return m
}

// write leaves the figures as JSON and as a table. Scenarios that were not told
// this time keep what the files said of them.
func (f *sheet) write(dir string) error {
	if len(f.all) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	type part struct {
		Machine machine   `json:"machine"`
		Figures []*figure `json:"figures"`
	}
	var order []string
	parts := map[string]*part{}
	path := filepath.Join(dir, "faults.json")
	if old, err := os.ReadFile(path); err == nil {
		var was struct {
			Scenarios []part `json:"scenarios"`
		}
		if err := json.Unmarshal(old, &was); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, p := range was.Scenarios {
			parts[p.Figures[0].Scenario] = &p
			order = append(order, p.Figures[0].Scenario)
		}
	}
	m := thisMachine()
	told := map[string]bool{}
	for _, g := range f.all {
		g.finish()
		if !told[g.Scenario] {
			told[g.Scenario] = true
			if parts[g.Scenario] == nil {
				order = append(order, g.Scenario)
			}
			m.Runs = book.done(g.Scenario)
			parts[g.Scenario] = &part{Machine: m}
		}
		parts[g.Scenario].Figures = append(parts[g.Scenario].Figures, g)
	}
	var all []part
	var table bytes.Buffer
	fmt.Fprintf(&table, "# What faults do to publishers and viewers\n\nWritten by `make bench-faults`. A key frame every second; milliseconds. "+
		"Each viewer of each run is one value.\n\n| fault | what | p50 | p99 | max | values | target | met | runs | commit |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, name := range order {
		p := parts[name]
		all = append(all, *p)
		for _, g := range p.Figures {
			format, met := "%.0f", "yes"
			if !g.Met {
				met = "**no**"
			}
			fmt.Fprintf(&table, "| %s | %s | "+format+" | "+format+" | "+format+" | %d | %s | %s | %d | %s |\n",
				g.Scenario, g.What, g.P50, g.P99, g.Max, len(g.Values), g.Target, met, p.Machine.Runs, p.Machine.Commit)
		}
	}
	fmt.Fprintf(&table, "\n%d cores (%s), Linux %s, etcd %s.\n", m.Cores, m.CPU, m.Kernel, m.Etcd)
	b, err := json.MarshalIndent(map[string]any{"scenarios": all}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), table.Bytes(), 0o644)
}
