package splice

import "syscall"

const fSetPipeSize = 1031 // F_SETPIPE_SZ

// pipe is a kernel buffer that pages are moved through.
type pipe struct{ r, w int }

func (p pipe) close() {
	syscall.Close(p.r)
	syscall.Close(p.w)
}

// pipes are a loop's. They are made when wanted, up to a number, and kept: a
// loop without sessions that lag needs one.
//
// Invariant: len(free) + lent ≤ max; every pipe in free is empty.
type pipes struct {
	free []pipe
	lent int
	max  int
}

// borrow returns an empty pipe; false if there are enough in use, or the system has
// no more.
func (s *pipes) borrow() (pipe, bool) {
	if n := len(s.free); n > 0 {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		s.lent++
		return p, true
	}
	if s.lent >= s.max {
		return pipe{}, false
	}
	var fd [2]int
	if err := syscall.Pipe2(fd[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		return pipe{}, false
	}
	// One that stays small only takes more calls.
	syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd[1]), fSetPipeSize, pipeSize)
	s.lent++
	return pipe{fd[0], fd[1]}, true
}

// keepFree is how many empty pipes a loop keeps: it uses one at a time, and
// lagging sessions come and go.
const keepFree = 4

// giveBack returns a pipe. One with something in it is of no use to others.
func (s *pipes) giveBack(p pipe, empty bool) {
	s.lent--
	if !empty || len(s.free) >= keepFree {
		p.close()
		return
	}
	s.free = append(s.free, p)
}

func (s *pipes) close() {
	for _, p := range s.free {
		p.close()
	}
	s.free = nil
}
