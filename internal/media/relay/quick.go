package relay

import "net"

// setUpReads is for how many reads a new connection acknowledges at once what has come. Why not fewer: it
// is as many as the answers up to a publish may come in, and more. Why not for ever: it is a call a read, and once
// media flows acknowledgements go along with that.
const setUpReads = 16

// quickly returns what is to be done before each read of a new connection; nil: nothing. Servers
// answer in several small writes, each of which waits, by Nagle's algorithm, for the
// acknowledgement of the one before, which else comes after 40 ms.
func quickly(nc net.Conn) func() {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	left := setUpReads
	quick := func() {
		if left > 0 {
			left--
			_ = raw.Control(quickAck) // without it, it takes longer
		}
	}
	quick() // the handshake's
	return quick
}
