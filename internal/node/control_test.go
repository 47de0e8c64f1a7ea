package node_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// control is a process of its own that does nothing but tick, and tells the
// longest time between two ticks: how long the machine keeps everybody waiting.
// A process of its own, because what an attack does to this one's scheduler is
// to be judged, not excused.
type control struct {
	t       *testing.T
	ask     io.WriteCloser
	answers *bufio.Scanner
}

const (
	controlVariable = "WEIR_TEST_CONTROL"
	controlTick     = 20 * time.Millisecond // as often as the canary has a frame
)

func startControl(t *testing.T) *control {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestControlProcess$")
	cmd.Env = append(os.Environ(), controlVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		cmd.Wait()
	})
	c := &control{t, in, bufio.NewScanner(out)}
	c.take()
	return c
}

// take returns the longest time between two ticks since the last call.
func (c *control) take() time.Duration {
	c.t.Helper()
	if _, err := io.WriteString(c.ask, "\n"); err != nil {
		c.t.Fatalf("the control process: %v", err)
	}
	for c.answers.Scan() {
		if d, err := time.ParseDuration(c.answers.Text()); err == nil {
			return d
		}
	}
	c.t.Fatal("the control process ended")
	return 0
}

// TestControlProcess is the control when it is started as one, and passes else.
func TestControlProcess(t *testing.T) {
	if os.Getenv(controlVariable) == "" {
		return
	}
	asked := make(chan struct{})
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			asked <- struct{}{}
		}
		close(asked)
	}()
	tick := time.NewTicker(controlTick)
	last, longest := time.Now(), time.Duration(0)
	for {
		select {
		case <-tick.C:
			longest = max(longest, time.Since(last))
			last = time.Now()
		case _, more := <-asked:
			if !more {
				return
			}
			fmt.Println(max(longest, time.Since(last)))
			longest = 0
		}
	}
}
