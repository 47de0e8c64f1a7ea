package proctest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Waited is how long the threads of a process have been kept from running although they could, all together and
// since each began: what others on the machine have taken of it. The kernel counts a wait when it is over. 0 of a process
// that has ended, and where the kernel does not count.
func Waited(pid int) (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var ran, waited time.Duration
		if _, err := fmt.Sscan(string(text), &ran, &waited); err == nil {
			sum += waited
		}
	}
	return sum
}

// Stolen is how long the processors of this machine, if it is a virtual one, have been given to others.
func Stolen() time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ
	text, _ := os.ReadFile("/proc/stat")
	first, _, _ := strings.Cut(string(text), "\n")
	var name string
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscan(first, &name, &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0
	}
	return time.Duration(steal) * tick
}
