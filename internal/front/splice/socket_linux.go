package splice

import (
	"errors"
	"net"
	"syscall"
	"unsafe"
)

// The system calls of the data path are raw: none of them can wait, so the
// scheduler need not hear of them.

const (
	spliceMove     = 0x1
	spliceNonblock = 0x2
)

// detach takes a socket away from the Go runtime, whose poller would wake for
// every packet. The connection is closed in any case; the descriptor does not
// block and is the caller's.
func detach(nc *net.TCPConn) (fd int, err error) {
	defer nc.Close()
	raw, err := nc.SyscallConn()
	if err != nil {
		return -1, err
	}
	var dupErr error
	err = raw.Control(func(own uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, own, syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			dupErr = errno
			return
		}
		fd = int(n)
	})
	if err = errors.Join(err, dupErr); err != nil {
		return -1, err
	}
	// What is passed on has been gathered already.
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	return fd, nil
}

// errAgain: nothing there now, or no room.
const errAgain = syscall.EAGAIN

func recv(fd int, p []byte) (int, syscall.Errno) {
	return call(syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT)
}

// discard throws away what has come.
func discard(fd int, p []byte) (int, syscall.Errno) {
	return call(syscall.SYS_RECVFROM, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_TRUNC)
}

func send(fd int, p []byte) (int, syscall.Errno) {
	return call(syscall.SYS_SENDTO, fd, p, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

func call(trap uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}

// splice moves up to n bytes from one descriptor to another, one of which is a
// pipe's.
func splice(from, to, n int) (int, syscall.Errno) {
	for {
		m, _, errno := syscall.RawSyscall6(syscall.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n), spliceMove|spliceNonblock)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(m), 0
	}
}

// setMark sets a socket's receive low-water mark: less than so many bytes wake
// nobody.
func setMark(fd, n int) bool {
	return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n) == nil
}

func shutWrite(fd int) { syscall.Shutdown(fd, syscall.SHUT_WR) }
