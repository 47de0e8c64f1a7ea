package session

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// parker watches connections that wait for a client which has nothing to say, as
// the viewers of a stream do. A parked connection has no goroutine: its stack
// would be half of what an idle viewer costs.
//
// Each descriptor is armed for one event. The event's number, not the
// descriptor, says whose it is: a descriptor may have been closed and used again
// meanwhile.
type parker struct {
	epoll int
	quit  [2]int // a pipe: closing one end wakes the watcher for the last time
	done  chan struct{}

	mu    sync.Mutex
	last  uint64
	conns map[uint64]*conn
}

// newParker starts the watcher; nil if the system has no epoll to give, and then
// connections keep their goroutines.
func newParker() *parker {
	p := &parker{done: make(chan struct{}), conns: make(map[uint64]*conn)}
	var err error
	if p.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil
	}
	if err := syscall.Pipe2(p.quit[:], syscall.O_CLOEXEC); err != nil {
		syscall.Close(p.epoll)
		return nil
	}
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, p.quit[0], &syscall.EpollEvent{Events: syscall.EPOLLIN}); err != nil {
		p.release()
		return nil
	}
	go p.watch()
	return p
}

// close ends the watcher. Nothing may be parked any more.
func (p *parker) close() {
	if p == nil {
		return
	}
	syscall.Close(p.quit[1])
	<-p.done
	syscall.Close(p.quit[0])
	syscall.Close(p.epoll)
}

func (p *parker) release() {
	syscall.Close(p.quit[0])
	syscall.Close(p.quit[1])
	syscall.Close(p.epoll)
}

// number gives a connection the number that its events carry.
func (p *parker) number(c *conn) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.conns[p.last] = c
	return p.last
}

func (p *parker) forget(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, number)
}

// arm wakes the connection with this number when its descriptor has something to
// read, once. again: it was armed before.
func (p *parker) arm(fd int, number uint64, again bool) error {
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT}
	ev.Fd, ev.Pad = int32(number), int32(number>>32)
	op := syscall.EPOLL_CTL_ADD
	if again {
		op = syscall.EPOLL_CTL_MOD
	}
	return syscall.EpollCtl(p.epoll, op, fd, &ev)
}

// disarm takes a connection's descriptor out. It may go on under another number, and
// the parker would hear of it for ever.
func (p *parker) disarm(nc *net.TCPConn) {
	if raw, err := nc.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, int(fd), nil) })
	}
}

func (p *parker) watch() {
	defer close(p.done)
	events := make([]syscall.EpollEvent, 128)
	for {
		n, err := syscall.EpollWait(p.epoll, events, -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		for _, ev := range events[:n] {
			number := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
			if number == 0 {
				return // the pipe
			}
			p.mu.Lock()
			c := p.conns[number]
			p.mu.Unlock()
			if c != nil {
				c.glance()
			}
		}
	}
}
