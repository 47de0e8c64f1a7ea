package bench

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// machineLoad is a reading of the whole machine's clocks: of each core, how much it
// has worked and how much time has passed.
type machineLoad []struct{ busy, all int64 }

// readMachine returns nil where there is no /proc.
func readMachine() machineLoad {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return nil
	}
	return parseMachine(b)
}

func parseMachine(b []byte) machineLoad {
	var m machineLoad
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) < 9 || !bytes.HasPrefix(f[0], []byte("cpu")) || len(f[0]) == 3 {
			continue
		}
		var busy, all int64
		for i, v := range f[1:9] { // user nice system idle iowait irq softirq steal
			n, _ := strconv.ParseInt(string(v), 10, 64)
			all += n
			if i != 3 && i != 4 {
				busy += n
			}
		}
		m = append(m, struct{ busy, all int64 }{busy, all})
	}
	return m
}

// since returns each core's load from before to m, 0 to 1.
func (m machineLoad) since(before machineLoad) []float64 {
	var loads []float64
	for i := range min(len(m), len(before)) {
		if all := m[i].all - before[i].all; all > 0 {
			loads = append(loads, float64(m[i].busy-before[i].busy)/float64(all))
		}
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
