package proctest

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawn starts commands on one thread that lives as long as this process: the parent death
// signal is sent when the starting *thread* ends, and Go ends threads at will.
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
