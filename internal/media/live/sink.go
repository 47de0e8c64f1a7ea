package live

import "net"

// Sink is where a viewer's bytes go. TryWrite takes what it can and never
// waits: fewer than len(b), down to 0 with a nil error, means that it would
// block. b is shared by all viewers: it must be neither changed nor kept.
// Only a pump calls it, never two calls at once, and none after OnEnd.
type Sink interface {
	TryWrite(b []byte) (int, error)
}

// NewSocketSink returns a Sink that writes to a TCP connection without waiting.
// The connection stays the caller's, to read from and to close: but not before
// OnEnd, since the pump writes to the descriptor by its number, which would be
// another connection's by then. To end it earlier, shut it down
// (net.TCPConn.CloseRead, CloseWrite); rtmp.Conn.Hold does so. Write deadlines do
// not concern it.
func NewSocketSink(nc *net.TCPConn) (Sink, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socketSink{nc: nc}
	if err := raw.Control(func(fd uintptr) { s.fd = int(fd) }); err != nil {
		return nil, err
	}
	keepBack(s.fd)
	return s, nil
}

// socketSink is a descriptor that stays open for as long as the sink is used.
type socketSink struct {
	fd      int
	nc      *net.TCPConn // a connection that nobody refers to closes itself
	gathers bool         // the pump's own: see gather
}

func (s *socketSink) TryWrite(b []byte) (int, error) { return sendTo(s.fd, b) }

// setGathering turns gather on and off for a sink that is a socket.
func setGathering(s Sink, on bool) {
	if s, ok := s.(*socketSink); ok && s.gathers != on {
		s.gathers = on
		gather(s.fd, on)
	}
}

// descriptor returns what a sink writes to, or -1 if it is no socket.
func descriptor(s Sink) int {
	if s, ok := s.(*socketSink); ok {
		return s.fd
	}
	return -1
}
