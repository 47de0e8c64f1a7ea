package session_test

import "net"

// hooked is a listener whose connections, of any kind, tell of what they write before they do.
type hooked struct {
	net.Listener
	write func([]byte)
}

type hookedConn struct {
	net.Conn
	write func([]byte)
}

func (l hooked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return hookedConn{c, l.write}, err
}

func (c hookedConn) Write(b []byte) (int, error) {
	c.write(b)
	return c.Conn.Write(b)
}

// CloseWrite is the connection's, without which a session ends only when its client has closed.
func (c hookedConn) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }
