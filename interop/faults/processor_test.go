package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"weir/internal/proctest"
)

// usage is what processes have used of the machine's processors since a moment.
type usage struct {
	began       time.Time
	idle        time.Duration
	node        *proctest.Process
	others      []*proctest.Process
	nodes, them time.Duration
}

func use(node *proctest.Process, others ...*proctest.Process) usage {
	return usage{time.Now(), idleTime(), node, others, processor(node), processor(others...)}
}

// shares are those of the machine since then: idle, in the node, in the others.
func (u usage) shares() (idle, node, others float64) {
	all := time.Since(u.began).Seconds() * float64(processors())
	return (idleTime() - u.idle).Seconds() / all, (processor(u.node) - u.nodes).Seconds() / all, (processor(u.others...) - u.them).Seconds() / all
}

// userHZ is the unit of /proc's times, the same on every Linux that Go runs on.
const userHZ = 10 * ms

// idleTime is how long all processors together have been idle since the machine's start.
func idleTime() time.Duration {
	stat, _ := os.ReadFile("/proc/stat")
	first, _, _ := bytes.Cut(stat, []byte("\n"))
	idle, _ := strconv.Atoi(strings.Fields(string(first))[4])
	return time.Duration(idle) * userHZ
}

func processors() int {
	stat, _ := os.ReadFile("/proc/stat")
	return bytes.Count(stat, []byte("\ncpu"))
}

// processor is how much of the processors the processes have used.
func processor(all ...*proctest.Process) (sum time.Duration) {
	for _, p := range all {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		sum += time.Duration(user+system) * userHZ
	}
	return sum
}
