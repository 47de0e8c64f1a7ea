package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running program: its group, and what it has written so far.
type process struct {
	name string
	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{} // closed when it has ended
	err  error         // how; after done
}

// start starts a program and ends it, with all its children, when the test ends.
func start(t *testing.T, name string, argv ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A grandchild that keeps the pipe open must not keep Wait from returning.
	p.cmd.WaitDelay = 5 * time.Second
	if err := spawn(p.cmd); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("--- %s: %s\n%s", name, strings.Join(argv, " "), p.log.tail(8<<10))
		}
	})
	return p
}

// spawn starts commands on one thread that lives as long as this process. The
// parent death signal is sent when the starting *thread* ends, and Go ends
// threads at will.
func spawn(cmd *exec.Cmd) error {
	spawner.once.Do(func() {
		spawner.requests = make(chan spawnRequest)
		go func() {
			runtime.LockOSThread()
			for r := range spawner.requests {
				r.result <- r.cmd.Start()
			}
		}()
	})
	r := spawnRequest{cmd, make(chan error, 1)}
	spawner.requests <- r
	return <-r.result
}

type spawnRequest struct {
	cmd    *exec.Cmd
	result chan error
}

var spawner struct {
	once     sync.Once
	requests chan spawnRequest
}

// signal sends a signal to the whole group.
func (p *process) signal(s syscall.Signal) {
	// Once it has been waited for, its number may be another process's.
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// kill ends the group at once and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// running is the condition that the process has not ended.
func (p *process) running() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended (%v):\n%s", p.name, p.err, p.log.tail(2<<10))
	default:
		return nil
	}
}

// wait waits for the process to end by itself.
func (p *process) wait(within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		return fmt.Errorf("%s still runs after %v:\n%s", p.name, within, p.log.tail(2<<10))
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w:\n%s", p.name, p.err, p.log.tail(2<<10))
	}
	return nil
}

// stop asks the process to end and insists after a while.
func (p *process) stop(s syscall.Signal) {
	p.signal(s)
	if err := p.wait(5 * time.Second); err != nil && p.running() == nil {
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

// logBuffer keeps what a process writes. It keeps all of it: the longest log of a
// run is a few MB.
type logBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	return len(p), nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

// from returns what was written after the first n bytes, up to the last line end.
func (l *logBuffer) from(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b[n:]
	return bytes.Clone(b[:bytes.LastIndexByte(b, '\n')+1])
}

func (l *logBuffer) tail(n int) string {
	s := l.String()
	if len(s) > n {
		s = "…" + s[len(s)-n:]
	}
	return s
}
