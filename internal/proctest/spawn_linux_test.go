package proctest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { runtime.LockOSThread() } // the main goroutine keeps the first thread, the only one that never ends

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("not in time: " + what)
		}
	}
}

// The kernel kills with the thread that has started a process. That is nobody's who calls.
func TestAProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	for range 3 { // the last one's end is the end of the thread that starts them
		asked := make(chan *Process)
		thread := make(chan int, 1)
		go func() {
			runtime.LockOSThread() // and so its thread ends with it
			thread <- syscall.Gettid()
			p, err := Start(new(Log), "sh", "-c", "trap 'echo heard' USR1; echo ready; while :; do sleep 0.01; done")
			if err != nil {
				t.Error(err)
			}
			asked <- p
		}()
		p, task := <-asked, fmt.Sprintf("/proc/self/task/%d", <-thread)
		if p == nil {
			return
		}
		defer p.Kill()
		eventually(t, "the thread ends", func() bool { _, err := os.Stat(task); return err != nil })
		eventually(t, "it is ready", func() bool { return strings.Contains(p.Log.String(), "ready\n") || !p.Running() })
		p.Signal(syscall.SIGUSR1)
		eventually(t, "it hears", func() bool { return strings.Contains(p.Log.String(), "heard\n") || !p.Running() })
		if !p.Running() {
			t.Fatalf("it has ended with the thread: %v", p.Err)
		}
		p.Kill()
	}
}
