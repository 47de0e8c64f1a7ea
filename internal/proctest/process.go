package proctest

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// pipeDelay is how long a grandchild that keeps the pipe open may keep a Process from
// having ended.
const pipeDelay = 5 * time.Second

// Process is a running program: its group, and what it has written so far.
type Process struct {
	Log  *Log
	Done chan struct{} // closed when it has ended
	Err  error         // how; after Done

	cmd *exec.Cmd
}

// Start starts a program that dies with this one at the latest. What it writes goes to log. A data
// race in a binary that was built to find them ends it.
func Start(log *Log, argv ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(argv[0], argv[1:]...), Log: log, Done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = pipeDelay
	if err := spawn(p.cmd); err != nil {
		return nil, err
	}
	go func() {
		p.Err = p.cmd.Wait()
		ended()
		close(p.Done)
	}()
	return p, nil
}

// Pid is the number of the process and of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Path is the program.
func (p *Process) Path() string { return p.cmd.Path }

// Running reports whether it has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.Done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the whole group, unless it has ended: its number may be another's by
// now.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = syscall.Kill(-p.Pid(), s)
	}
}

// Freeze and Thaw stop the group and let it go on.
func (p *Process) Freeze() { p.Signal(syscall.SIGSTOP) }
func (p *Process) Thaw()   { p.Signal(syscall.SIGCONT) }

// Kill ends the group at once and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.Done
}
