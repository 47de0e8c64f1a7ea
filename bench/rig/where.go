package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Where is where and when figures were taken, to be embedded in a report.
type Where struct {
	Began      time.Time `json:"began"`
	Commit     string    `json:"commit"`
	CPU        string    `json:"cpu"`
	Cores      int       `json:"cores"`
	Kernel     string    `json:"kernel"`
	Congestion string    `json:"congestion_control"`
}

func here(congestion string) Where {
	return Where{
		Began: time.Now().UTC().Truncate(time.Second), Commit: FirstLine("git", "describe", "--always", "--dirty", "--abbrev=12"),
		CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: kernel(), Congestion: congestion,
	}
}

// Title is a report's headline.
func (w *Where) Title(what string) string {
	return fmt.Sprintf("# %s, %s\n\n", what, w.Began.Format("2006-01-02 15:04 MST"))
}

// String is where, as a report's first sentence begins.
func (w *Where) String() string {
	return fmt.Sprintf("Commit %s; %d cores (%s), Linux %s, loopback, congestion control %s", w.Commit, w.Cores, w.CPU, w.Kernel, w.Congestion)
}

// FirstLine is the first line that a command prints, or "unknown".
func FirstLine(command ...string) string {
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
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
