package live

import (
	"os"
	"syscall"
	"unsafe"
)

// sendTo sends without waiting. It goes past net.TCPConn and the poller, which would be
// four cache lines a viewer that a pump misses on every pass. The system call is
// a raw one for the same reason: it cannot block, so the scheduler need not hear
// of it.
func sendTo(fd int, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("sendto", errno)
	}
}

// wire is a vector as the kernel reads it.
type wire struct {
	iov [2]syscall.Iovec
	msg syscall.Msghdr
}

// sendTo sends both pieces in one call, without waiting.
func (v *vector) sendTo(fd int) (int, error) {
	w := &v.wire
	if w.msg.Iov == nil {
		for i, b := range [2][]byte{v.a, v.b} {
			w.iov[i].Base = unsafe.SliceData(b)
			w.iov[i].SetLen(len(b))
		}
		w.msg.Iov, w.msg.Iovlen = &w.iov[0], 2
	}
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&w.msg)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("sendmsg", errno)
	}
}

// keepBack lets the kernel hold no more than maxUnsent bytes that it cannot send yet: it
// takes no more then, as if its buffer were full.
func keepBack(fd int) {
	const tcpNotsentLowat = 0x19 // linux/tcp.h
	// A socket that refuses only holds more.
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpNotsentLowat, maxUnsent)
}

// gather turns Nagle's algorithm on and off: a small message waits in the kernel while
// earlier ones are under way, and goes with what has come meanwhile.
func gather(fd int, on bool) {
	noDelay := 1
	if on {
		noDelay = 0
	}
	// A socket that refuses is only dearer.
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, noDelay)
}
