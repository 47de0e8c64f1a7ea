package splice

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// doorbell is where a loop waits for its sockets. Two epoll instances, one inside
// the other, and the runtime's poller outside:
//
//	sockets ─▶ inner ─▶ gate ─▶ runtime
//
// The runtime parks the loop's goroutine without a thread of its own. Waiting in
// epoll_wait would keep one, and each return from it wakes the runtime's monitor,
// which then looks around for a millisecond. The gate is open (one-shot) only
// while the loop waits: otherwise every packet that comes while it works would wake an
// idle thread of the runtime for nothing.
type doorbell struct {
	inner int
	gate  *os.File
	raw   syscall.RawConn
	knock func(uintptr) bool // d.answered, once: a method value is an allocation
	bell  int                // an eventfd among the sockets, key 0
	timed bool               // a deadline is set
	open  bool               // the gate
	one   [1]syscall.EpollEvent
}

func newDoorbell() (*doorbell, error) {
	d := &doorbell{}
	var err error
	if d.inner, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	gate, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		syscall.Close(d.inner)
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	bell, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		syscall.Close(d.inner)
		syscall.Close(gate)
		return nil, os.NewSyscallError("eventfd2", errno)
	}
	d.bell = int(bell)
	// Non-blocking is what makes the runtime poll it.
	syscall.SetNonblock(gate, true)
	d.gate = os.NewFile(uintptr(gate), "splice gate")
	d.knock = d.answered
	if d.raw, err = d.gate.SyscallConn(); err == nil {
		err = d.gate.SetReadDeadline(time.Time{}) // refused if the runtime does not poll it
	}
	if err == nil {
		err = d.add(d.bell, syscall.EPOLLIN, 0)
	}
	if err == nil {
		err = syscall.EpollCtl(gate, syscall.EPOLL_CTL_ADD, d.inner, &syscall.EpollEvent{Events: syscall.EPOLLONESHOT})
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *doorbell) close() {
	d.gate.Close()
	syscall.Close(d.inner)
	syscall.Close(d.bell)
}

func (d *doorbell) add(fd int, mask uint32, key uint64) error {
	return d.control(syscall.EPOLL_CTL_ADD, fd, mask, key)
}

func (d *doorbell) change(fd int, mask uint32, key uint64) error {
	return d.control(syscall.EPOLL_CTL_MOD, fd, mask, key)
}

func (d *doorbell) drop(fd int) { d.control(syscall.EPOLL_CTL_DEL, fd, 0, 0) }

func (d *doorbell) control(op, fd int, mask uint32, key uint64) error {
	ev := syscall.EpollEvent{Events: mask, Fd: int32(key), Pad: int32(key >> 32)}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(d.inner, op, fd, &ev))
}

func keyOf(ev *syscall.EpollEvent) uint64 { return uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32 }

// look returns what is ready now.
func (d *doorbell) look(events []syscall.EpollEvent) int { return pollNow(d.inner, events) }

func pollNow(epoll int, events []syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// wait waits until something is ready, for at most d; negative: without limit.
func (d *doorbell) wait(limit time.Duration) {
	if limit >= 0 {
		d.gate.SetReadDeadline(time.Now().Add(limit))
		d.timed = true
	} else if d.timed {
		d.gate.SetReadDeadline(time.Time{})
		d.timed = false
	}
	d.raw.Control(d.unlock)
	d.raw.Read(d.knock)
	if d.open {
		d.raw.Control(d.lock)
	}
}

func (d *doorbell) unlock(fd uintptr) { d.setGate(fd, syscall.EPOLLIN) }
func (d *doorbell) lock(fd uintptr)   { d.setGate(fd, 0) }

func (d *doorbell) setGate(fd uintptr, mask uint32) {
	ev := syscall.EpollEvent{Events: mask | syscall.EPOLLONESHOT}
	syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, fd, syscall.EPOLL_CTL_MOD, uintptr(d.inner), uintptr(unsafe.Pointer(&ev)), 0, 0)
	d.open = mask != 0
}

// answered looks through the gate, which a success closes.
func (d *doorbell) answered(fd uintptr) bool {
	if pollNow(int(fd), d.one[:]) == 0 {
		return false
	}
	d.open = false
	return true
}

// ring ends a wait; any goroutine.
func (d *doorbell) ring() {
	one := [8]byte{1}
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(d.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// rung notes that a ring was heard.
func (d *doorbell) rung() {
	var n [8]byte
	syscall.RawSyscall(syscall.SYS_READ, uintptr(d.bell), uintptr(unsafe.Pointer(&n)), 8)
}
