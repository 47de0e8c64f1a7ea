package bench

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// machineLoad is a reading of the whole machine's clocks: how long each core has been
// idle, in clock ticks. The kernel measures idle time; its other counts in /proc/stat are
// samples, which miss work that ends before the next tick, as a server's with a timer does.
type machineLoad struct {
	at   time.Time
	idle []int64
}

// readMachine returns nothing where there is no /proc/stat.
func readMachine() machineLoad {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineLoad{}
	}
	return machineLoad{time.Now(), parseMachine(b)}
}

// parseMachine reads the fields idle and iowait of every core's line.
func parseMachine(b []byte) (idle []int64) {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) < 6 || !bytes.HasPrefix(f[0], []byte("cpu")) || len(f[0]) == 3 {
			continue
		}
		i, err := strconv.ParseInt(string(f[4]), 10, 64)
		if err != nil {
			return nil
		}
		w, err := strconv.ParseInt(string(f[5]), 10, 64)
		if err != nil {
			return nil
		}
		idle = append(idle, i+w)
	}
	return idle
}

// since returns each core's load from before to m, 0 to 1.
func (m machineLoad) since(before machineLoad) []float64 {
	elapsed := m.at.Sub(before.at)
	if elapsed <= 0 {
		return nil
	}
	var loads []float64
	for i := range min(len(m.idle), len(before.idle)) {
		idle := time.Duration(m.idle[i]-before.idle[i]) * clockTick
		loads = append(loads, max(0, 1-float64(idle)/float64(elapsed)))
	}
	return loads
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
