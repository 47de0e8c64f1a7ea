package faults_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a running program in a group of its own, and what it has written.
type process struct {
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{} // closed when it has ended
	err  error         // how; after done
}

// launch starts a program that dies with this one at the latest.
func launch(log *logBuffer, argv ...string) (*process, error) {
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A grandchild that keeps the pipe open must not keep Wait from returning.
	p.cmd.WaitDelay = 5 * time.Second
	if err := spawn(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// spawn starts commands on one thread that lives as long as this process: the
// parent death signal is sent when the starting thread ends.
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
	select {
	case <-p.done: // its number may be another's by now
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

func (p *process) freeze() { p.signal(syscall.SIGSTOP) }
func (p *process) thaw()   { p.signal(syscall.SIGCONT) }

// kill ends the group at once and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// ended is the condition that the process has ended by itself.
func (p *process) ended() error {
	select {
	case <-p.done:
		return nil
	default:
		return fmt.Errorf("%s still runs", p.cmd.Path)
	}
}

// logBuffer keeps all that a process writes: a few MB at most.
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

// from returns what was written after the first n bytes, up to the last line end.
func (l *logBuffer) from(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b[n:]
	return bytes.Clone(b[:bytes.LastIndexByte(b, '\n')+1])
}

func (l *logBuffer) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.b)
}
