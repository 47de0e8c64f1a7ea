package bench

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// discardMax is how many bytes one recv may throw away: more than any receive buffer
// holds, so that one call empties a socket. No memory stands behind it.
const discardMax = 64 << 20

// pollTime bounds how long an eager loop takes to see that it shall end.
const pollTime = 100 * time.Millisecond

// loop drains its share of the sockets.
//
// Lazy: a wheel whose slot comes up every wheelTick; a socket waits in a random
// slot. Eager: one epoll instance, level triggered.
type loop struct {
	reader  Reader
	epoll   int // eager; -1 if lazy
	stopped sync.WaitGroup

	mu     sync.Mutex
	closed bool
	byFD   map[int]*drain // all of this loop's
	wheel  wheel          // lazy
}

func newLoop(r Reader) (*loop, error) {
	l := &loop{reader: r, epoll: -1, byFD: map[int]*drain{}}
	if r == Lazy {
		l.stopped.Go(l.runLazy)
		return l, nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l.epoll = fd
	l.stopped.Go(l.runEager)
	return l, nil
}

// detach takes the socket away from the Go runtime, whose poller would wake for
// every packet. The returned descriptor is non-blocking and the caller's.
func detach(nc *net.TCPConn) (fd int, ok bool, err error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return -1, false, err
	}
	var dupErr error
	err = raw.Control(func(own uintptr) {
		var n uintptr
		var errno syscall.Errno
		if n, _, errno = syscall.Syscall(syscall.SYS_FCNTL, own, syscall.F_DUPFD_CLOEXEC, 0); errno != 0 {
			dupErr = errno
			return
		}
		fd = int(n)
	})
	if err = errors.Join(err, dupErr); err != nil {
		return -1, false, err
	}
	return fd, true, nc.Close()
}

// add gives a socket to the loop.
func (l *loop) add(v *drain) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		syscall.Close(v.fd)
		return net.ErrClosed
	}
	if l.epoll >= 0 {
		ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: int32(v.fd)}
		if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, v.fd, &ev); err != nil {
			syscall.Close(v.fd)
			return err
		}
	} else {
		l.wheel.add(v)
	}
	l.byFD[v.fd] = v
	return nil
}

func (l *loop) runEager() {
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(l.epoll, events, int(pollTime.Milliseconds()))
		if err != nil && err != syscall.EINTR {
			panic("bench: epoll_wait: " + err.Error()) // the descriptor is ours: a fault of this program
		}
		now := time.Now()
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return
		}
		for _, ev := range events[:max(n, 0)] {
			if v := l.byFD[int(ev.Fd)]; v != nil {
				l.visit(v, now)
			}
		}
		l.mu.Unlock()
	}
}

func (l *loop) runLazy() {
	ticker := time.NewTicker(wheelTick)
	defer ticker.Stop()
	for now := range ticker.C {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return
		}
		for _, v := range l.wheel.turn(now) {
			if l.visit(v, now) {
				l.wheel.add(v)
			}
		}
		l.mu.Unlock()
	}
}

// visit empties a socket, and reports whether it lives. With l.mu held.
func (l *loop) visit(v *drain, now time.Time) bool {
	n, err := discard(v.fd)
	switch {
	case n > 0:
		v.bytes.Add(n)
		if ack := v.ack(now); ack != nil {
			// Lost if the socket is full: then the server reads none, and the next says more.
			_ = syscall.Sendto(v.fd, ack, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, nil)
		}
		return true
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return true
	case err == nil:
		err = io.EOF
	}
	delete(l.byFD, v.fd)
	syscall.Close(v.fd)
	v.ended(err)
	return false
}

// discard throws away what waits in the socket and returns how many bytes: for TCP,
// MSG_TRUNC reads them without copying (tcp(7)).
func discard(fd int) (int64, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), 0, discardMax,
		syscall.MSG_TRUNC|syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int64(n), nil
}

// close ends the loop and its connections.
func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	for fd := range l.byFD {
		syscall.Close(fd)
	}
	l.mu.Unlock()
	l.stopped.Wait()
	if l.epoll >= 0 {
		syscall.Close(l.epoll)
	}
}
