package live

import (
	"os"
	"syscall"
	"unsafe"
)

// socketSink passes arguments and results to its callback through fields: the
// closure is made once, so a write allocates nothing.
//
// It sends under RawConn.Control, which only keeps the descriptor from being
// closed, and not under RawConn.Write, which also prepares to wait: two cache
// lines a viewer that a pump would miss on every pass. The system call is a raw
// one for the same reason: it cannot block, so the scheduler need not hear of it.
// Measured together at 2,000 viewers: 9 % of the process's time.
type socketSink struct {
	raw syscall.RawConn
	try func(fd uintptr)

	b   []byte
	n   int
	err error
}

func (s *socketSink) TryWrite(b []byte) (int, error) {
	s.b = b
	err := s.raw.Control(s.try)
	n := s.n
	if err == nil {
		err = s.err
	}
	s.b, s.n, s.err = nil, 0, nil
	return n, err
}

func (s *socketSink) send(fd uintptr) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(s.b))), uintptr(len(s.b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			s.n = int(n)
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			s.err = os.NewSyscallError("sendto", errno)
		}
		return
	}
}
