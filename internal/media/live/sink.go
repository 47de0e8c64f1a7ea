package live

import (
	"net"
	"os"
	"syscall"
)

// Sink is where a viewer's bytes go. TryWrite takes what it can and never
// waits: fewer than len(b), down to 0 with a nil error, means that it would
// block. b is shared by all viewers: it must be neither changed nor kept.
// Only a pump calls it, never two calls at once, and none after OnEnd.
type Sink interface {
	TryWrite(b []byte) (int, error)
}

// NewSocketSink returns a Sink that writes to a TCP connection without waiting.
// The connection stays the caller's, to read from and to close.
func NewSocketSink(nc *net.TCPConn) (Sink, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socketSink{raw: raw}
	s.try = s.write
	return s, nil
}

// socketSink passes arguments and results to its callback through fields: the
// closure is made once, so a write allocates nothing.
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

// write always returns true: "done", so that the poller never waits.
func (s *socketSink) write(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), s.b)
		switch {
		case err == nil:
			s.n = n
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
		default:
			s.err = os.NewSyscallError("write", err)
		}
		return true
	}
}
