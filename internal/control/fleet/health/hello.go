package health

import (
	"net"

	"weir/internal/control/fleet"
)

// hello is what a check says before it speaks, to a server that expects to be told whose connection it
// gets: that there is no client behind it; nil if it expects nothing.
func hello(a fleet.Announce, nc net.Conn) []byte {
	switch a {
	case fleet.AnnounceProxyV1: // PROXY protocol 2.1
		return []byte("PROXY UNKNOWN\r\n")
	case fleet.AnnounceProxyV2: // PROXY protocol 2.2: version 2, LOCAL, unspecified, nothing follows
		return []byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
	case fleet.AnnounceSRS: // 0xF3, length, an IPv4 address: SRS knows no "nobody", so our own
		b := []byte{0xF3, 0, 4, 127, 0, 0, 1}
		if t, ok := nc.LocalAddr().(*net.TCPAddr); ok {
			if ip := t.IP.To4(); ip != nil {
				copy(b[3:], ip)
			}
		}
		return b
	}
	return nil
}
