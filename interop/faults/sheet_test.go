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
	"sync"
	"testing"
	"time"
)

// sheet collects the figures of a run of the bench.
type sheet struct{ all []*figure }

var figures sheet

// machine says what the figures were measured on.
type machine struct {
	Commit string    `json:"commit"`
	Began  time.Time `json:"began"`
	Runs   int       `json:"runs"`
	Full   bool      `json:"full_scale"`
	Lanes  int       `json:"lanes,omitempty"` // scenarios at once; 0 and 1: one
	Cores  int       `json:"cores"`
	CPU    string    `json:"cpu"`
	Kernel string    `json:"kernel"`
	Etcd   string    `json:"etcd"`
}

// thisMachine is asked once, at the beginning: the code may change while the bench runs, and the
// binary under test does not.
var thisMachine = sync.OnceValue(func() machine {
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
})

// missed names each figure that is not within its target.
func (f *sheet) missed() []string {
	var all []string
	for _, g := range f.all {
		if !g.Met {
			all = append(all, fmt.Sprintf("%s: %s: p50 %.0f, p99 %.0f, max %.0f, want %s", g.Scenario, g.What, g.P50, g.P99, g.Max, g.Target))
		}
	}
	return all
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
			m.Runs, m.Lanes = book.done(g.Scenario), book.lanes(g.Scenario)
			parts[g.Scenario] = &part{Machine: m}
		}
		parts[g.Scenario].Figures = append(parts[g.Scenario].Figures, g)
	}
	var all []part
	var table bytes.Buffer
	fmt.Fprintf(&table, "# What faults do to publishers and viewers\n\nWritten by `make bench-faults`. A key frame every second; milliseconds. "+
		"Each viewer of each run is one value. Lanes: so many scenarios ran side by side on the machine: with more than one, a gap may be another's "+
		"load, and the longest stall of the test itself, which viewers and publishers are part of, says how much of one.\n\n"+
		"| fault | what | p50 | p99 | max | values | target | met | runs | lanes | commit |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, name := range order {
		p := parts[name]
		all = append(all, *p)
		for _, g := range p.Figures {
			format, met := "%.0f", "yes"
			if !g.Met {
				met = "**no**"
			}
			fmt.Fprintf(&table, "| %s | %s | "+format+" | "+format+" | "+format+" | %d | %s | %s | %d | %d | %s |\n",
				g.Scenario, g.What, g.P50, g.P99, g.Max, len(g.Values), g.Target, met, p.Machine.Runs, max(1, p.Machine.Lanes), p.Machine.Commit)
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

func TestTheBenchNamesWhatItMissed(t *testing.T) {
	f := sheet{all: []*figure{
		{Scenario: "a row", What: "gap", Unit: "ms", Values: []float64{1, 2, 3}, target: target{p99: 2 * ms}},
		{Scenario: "a row", What: "median", Unit: "ms", Values: []float64{1, 2, 3}, target: target{p50: ms}},
		{Scenario: "a row", What: "kept", Unit: "ms", Values: []float64{1, 2, 3}, target: target{p50: 2 * ms, p99: 3 * ms}},
		{Scenario: "another", What: "closes", Values: []float64{0, 1}},
		{Scenario: "another", What: "not promised", Values: []float64{7}, target: target{always: -ms}},
	}}
	for _, g := range f.all {
		g.finish()
	}
	if got, want := f.missed(), []string{
		"a row: gap: p50 2, p99 3, max 3, want p99 ≤ 2",
		"a row: median: p50 2, p99 3, max 3, want p50 ≤ 1",
		"another: closes: p50 1, p99 1, max 1, want 0",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
