package interop_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/proctest"
)

// process is a running program with a name.
type process struct {
	name string
	log  *proctest.Log
	p    *proctest.Process
}

// start starts a program and ends it, with all its children, when the test ends.
func start(t *testing.T, name string, argv ...string) *process {
	t.Helper()
	log := new(proctest.Log)
	running, err := proctest.Start(log, argv...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		running.Kill()
		if t.Failed() {
			t.Logf("--- %s: %s\n%s", name, strings.Join(argv, " "), log.Tail(8<<10))
		}
	})
	return &process{name, log, running}
}

func (p *process) signal(s syscall.Signal) { p.p.Signal(s) }
func (p *process) kill()                   { p.p.Kill() }

// running is the condition that the process has not ended.
func (p *process) running() error {
	select {
	case <-p.p.Done:
		return fmt.Errorf("%s has ended (%v):\n%s", p.name, p.p.Err, p.log.Tail(2<<10))
	default:
		return nil
	}
}

// wait waits for the process to end by itself.
func (p *process) wait(within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.p.Done:
	case <-timer.C:
		return fmt.Errorf("%s still runs after %v:\n%s", p.name, within, p.log.Tail(2<<10))
	}
	if p.p.Err != nil {
		return fmt.Errorf("%s: %w:\n%s", p.name, p.p.Err, p.log.Tail(2<<10))
	}
	return nil
}

// stop asks the process to end and insists after a while.
func (p *process) stop(s syscall.Signal) {
	p.signal(s)
	if err := p.wait(patience); err != nil && p.running() == nil {
		p.kill()
	}
}

// exec runs a program to its end and returns what it wrote to standard output.
func execute(argv ...string) ([]byte, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, exit.Stderr)
	}
	return out, err
}
