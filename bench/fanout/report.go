package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// report is everything that a run found.
type report struct {
	Began      time.Time `json:"began"`
	Commit     string    `json:"commit"`
	CPU        string    `json:"cpu"`
	Cores      int       `json:"cores"`
	Kernel     string    `json:"kernel"`
	Congestion string    `json:"congestion_control"`
	Rounds     int       `json:"rounds"` // that were asked for; an interrupted run has fewer
	Trials     []trial   `json:"trials"`

	name       string
	joins      bool     // tables of joins
	contenders []string // in the order given
	against    []string // those that the table compares with
	loads      []load
}

func newReport(congestion string, p plan) *report {
	r := &report{
		Began: time.Now().UTC().Truncate(time.Second), Commit: commit(), CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: kernel(),
		Congestion: congestion, Rounds: p.rounds, loads: p.loads, against: p.against, joins: p.joins,
	}
	for _, c := range p.contenders {
		r.contenders = append(r.contenders, c.name())
	}
	return r
}

// save writes the report in its three forms.
func (r *report) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	base := filepath.Join(dir, r.name+"-"+r.Began.Format("20060102-150405"))
	files := map[string][]byte{".json": append(raw, '\n'), ".md": r.markdown()}
	if !r.joins {
		files[".svg"] = r.plot()
	}
	for ext, content := range files {
		if err := os.WriteFile(base+ext, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range bytes.Lines(b) {
		if k, v, ok := bytes.Cut(line, []byte{':'}); ok && string(bytes.TrimSpace(k)) == "model name" {
			return string(bytes.TrimSpace(v))
		}
	}
	return runtime.GOARCH
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
