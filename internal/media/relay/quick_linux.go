package relay

import "syscall"

// quickAck has what has come, and what comes next, acknowledged at once. The kernel forgets it soon.
func quickAck(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}
