package rtmp

import (
	"os"
	"syscall"
	"unsafe"
)

const rawReads = true

// rawRead reads from a descriptor that does not block. The scheduler need not
// hear of a call that cannot wait; told of one, it also wakes the runtime's monitor
// thread, which at one stream of 77 messages a second was 6 % of what 2,000 viewers
// cost.
func rawRead(fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return -1, errno
	}
}

// rawWrite sends on a socket without waiting. A broken connection is an error, and no signal.
func rawWrite(fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

func setReadMark(fd uintptr, n int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n))
}

func wouldBlock(err error) bool { return err == syscall.EAGAIN }
