package main

import (
	"encoding/json"
	"fmt"
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
