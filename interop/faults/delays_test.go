package faults_test

import (
	"os"
	"time"

	"weir/internal/proctest"
)

// delays are how long the machine has kept what takes part in a story from running, so far.
type delays struct {
	waited map[int]time.Duration // by process
	still  time.Duration         // the test, and the processors of a virtual machine
}

func (s *story) delays() *delays {
	d := &delays{map[int]time.Duration{}, time.Duration(s.stood.Load()) + proctest.Stolen()}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.waited[os.Getpid()] = proctest.Waited(os.Getpid())
	for _, n := range s.nodes {
		if n.proc != nil {
			d.waited[n.proc.Pid()] = proctest.Waited(n.proc.Pid())
		}
	}
	return d
}

// excuse is by how much a time since the last fault may be too long on account of the machine: a frame passes several
// processes on its way, and each may have had to wait for its turn.
func (s *story) excuse() time.Duration {
	now, then := s.delays(), &delays{}
	if at := s.then.Load(); at != nil {
		then = at
	}
	sum := now.still - then.still
	for pid, d := range now.waited {
		sum += max(0, d-then.waited[pid])
	}
	return sum
}
