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
// The connection stays the caller's, to read from and to close. Write deadlines
// do not concern it.
func NewSocketSink(nc *net.TCPConn) (Sink, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socketSink{raw: raw}
	s.try = s.send
	return s, nil
}
