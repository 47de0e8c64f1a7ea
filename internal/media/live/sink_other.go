//go:build !linux

package live

import (
	"os"
	"syscall"
)

// socketSink is the portable one: see sink_linux.go for the fast one.
type socketSink struct {
	raw syscall.RawConn
	try func(fd uintptr) bool

	b   []byte
	n   int
	err error
}

func (s *socketSink) TryWrite(b []byte) (int, error) {
	s.b = b
	err := s.raw.Write(s.try)
	n := s.n
	if err == nil {
		err = s.err
	}
	s.b, s.n, s.err = nil, 0, nil
	return n, err
}

// send always returns true: "done", so that the poller never waits.
func (s *socketSink) send(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), s.b)
		switch err {
		case nil:
			s.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			s.err = os.NewSyscallError("write", err)
		}
		return true
	}
}
