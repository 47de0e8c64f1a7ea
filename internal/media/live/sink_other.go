//go:build !linux

package live

import (
	"os"
	"syscall"
)

// sendTo sends without waiting: descriptors of package net do not block.
func sendTo(fd int, b []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("write", err)
	}
}

type wire struct{}

// sendTo sends both pieces, one after the other.
func (v *vector) sendTo(fd int) (int, error) {
	n, err := sendTo(fd, v.a)
	if n < len(v.a) || err != nil {
		return n, err
	}
	m, err := sendTo(fd, v.b)
	return n + m, err
}

// keepBack is of Linux only: elsewhere a socket holds as much as its buffer.
func keepBack(int) {}

// gather is of Linux only: elsewhere a message is a packet.
func gather(int, bool) {}
