package proctest

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawn starts commands on one thread that lives until the last of them has ended: the parent death
// signal is sent when the starting *thread* ends, and Go ends threads at will. Whoever has started one says ended.
func spawn(cmd *exec.Cmd) error {
	spawner.Lock()
	if spawner.running++; spawner.running == 1 {
		spawner.requests = make(chan spawnRequest)
		go spawnAll(spawner.requests)
	}
	requests := spawner.requests
	spawner.Unlock()
	r := spawnRequest{cmd, make(chan error, 1)}
	requests <- r
	err := <-r.result
	if err != nil {
		ended()
	}
	return err
}

// ended says that a command has.
func ended() {
	spawner.Lock()
	defer spawner.Unlock()
	if spawner.running--; spawner.running == 0 {
		close(spawner.requests)
	}
}

func spawnAll(requests <-chan spawnRequest) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // or the thread would end, and with it what others have started on it before
	for r := range requests {
		r.result <- r.cmd.Start()
	}
}

type spawnRequest struct {
	cmd    *exec.Cmd
	result chan error
}

var spawner struct {
	sync.Mutex
	running  int // commands that have not ended, or are about to start
	requests chan spawnRequest
}
