//go:build unix && !linux

package rtmp

import "syscall"

// rawReads says that a socket can be read from within RawConn.Read.
const rawReads = true

// rawRead reads from a nonblocking descriptor.
func rawRead(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// rawWrite writes to a nonblocking descriptor.
func rawWrite(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

func wouldBlock(err error) bool { return err == syscall.EAGAIN }

// setReadMark: readers that wait are woken by the first byte.
func setReadMark(uintptr, int) error { return nil }
