package splice

import (
	"sync/atomic"
	"syscall"
	"time"
)

// end is one connection of a session.
type end struct {
	fd   int
	side Side
	key  uint64 // what its events carry
	mask uint32 // what epoll reports of it, beside errors
	off  bool   // epoll does not report it at all
}

// flow is one direction of a session. The loop's own, but for bytes.
//
// Invariants: at most one of rest and held is not empty; held > 0 ⇔ pipe is
// borrowed; blocked ⇔ something waits; blocked ⇒ src is not read; shut ⇒ eof and
// nothing waits.
type flow struct {
	s        *Session
	src, dst *end
	count    *atomic.Int64 // the caller's; may be nil
	bytes    atomic.Int64  // taken by dst

	rest []byte // waits for dst, in memory
	buf  []byte // rest's memory if it is the loop's, else nil
	pipe pipe
	held int // waits for dst, in pipe

	eof     bool // src has ended
	shut    bool // dst has been told
	blocked bool
	waiting atomic.Bool   // the same as blocked, for others
	usual   int           // bytes that a visit finds, of late
	heard   time.Duration // when src said something last; heardAt is the same, for others
	heardAt atomic.Int64
	taken   time.Duration // when dst took something last, or nothing waited for it
	lane    laneState
	patient bool // what is read is acknowledged later
}

func (f *flow) hear(now time.Duration) {
	f.heard = now
	f.heardAt.Store(int64(now))
}

// waits reports whether dst has not taken everything.
func (f *flow) waits() bool { return f.held > 0 || len(f.rest) > 0 }

// failure is a system call that failed, at an end.
type failure struct {
	side Side
	err  syscall.Errno
}

// move moves what is there, and returns how much src gave.
func (l *loop) move(f *flow) (got int, bad *failure) {
	if bad := l.deliver(f); bad != nil || f.waits() {
		return 0, bad
	}
	if f.patient && !f.lane.in {
		ackLater(f.src.fd)
	}
	for got < moveMax && !f.eof {
		n, more, bad := l.step(f, got)
		got += n
		if bad != nil {
			return got, bad
		}
		if !more || f.waits() {
			break
		}
	}
	if got > 0 {
		f.hear(l.now)
		f.usual += (got - f.usual) / 4
	}
	return got, nil
}

// begin gives dst of what is to be sent first as much as it takes at once. An error will be
// there again for the loop, whose the flow is not yet.
func (f *flow) begin() {
	if len(f.rest) == 0 {
		return
	}
	n, _ := send(f.dst.fd, f.rest)
	if f.rest = f.rest[n:]; len(f.rest) == 0 {
		f.rest = nil
	}
	f.bytes.Add(int64(n))
	if f.count != nil {
		f.count.Add(int64(n))
	}
}

// step moves once, by pages or by bytes. more is whether another step may find
// something that epoll would not report soon.
func (l *loop) step(f *flow, got int) (n int, more bool, bad *failure) {
	if (f.usual >= pagesFrom || got > 0) && !l.copyOnly {
		if p, ok := l.pipes.borrow(); ok {
			n, more, bad, refused := l.stepPages(f, p)
			if !refused {
				return n, more, bad
			}
			l.copyOnly = true
		}
	}
	return l.stepBytes(f)
}

func (l *loop) stepPages(f *flow, p pipe) (n int, more bool, bad *failure, refused bool) {
	n, errno := splice(f.src.fd, p.w, moveMax)
	switch {
	case errno == syscall.EINVAL || errno == syscall.ENOSYS:
		l.pipes.giveBack(p, true)
		return 0, false, nil, true
	case n > 0:
		f.pipe, f.held = p, n
		bad = l.deliver(f)
		return n, n >= pipeSize/2, bad, false
	}
	l.pipes.giveBack(p, true)
	bad = l.nothing(f, errno)
	return 0, false, bad, false
}

func (l *loop) stepBytes(f *flow) (n int, more bool, bad *failure) {
	n, errno := recv(f.src.fd, l.buf)
	if n == 0 {
		return 0, false, l.nothing(f, errno)
	}
	// Sent from the loop's buffer; what is left is copied out of it.
	f.rest = l.buf[:n]
	bad = l.deliver(f)
	if len(f.rest) > 0 {
		f.buf = l.spare()
		f.rest = f.buf[:copy(f.buf, f.rest)]
	}
	return n, n == len(l.buf), bad
}

// nothing notes why a read of src gave nothing.
func (l *loop) nothing(f *flow, errno syscall.Errno) *failure {
	switch errno {
	case 0:
		f.eof = true
		f.hear(l.now)
		return nil
	case errAgain:
		return nil
	}
	return &failure{f.src.side, errno}
}

// deliver gives dst what waits for it, as far as it takes it.
func (l *loop) deliver(f *flow) *failure {
	for f.waits() {
		var n int
		var errno syscall.Errno
		if f.held > 0 {
			n, errno = splice(f.pipe.r, f.dst.fd, f.held)
		} else {
			n, errno = send(f.dst.fd, f.rest)
		}
		if n == 0 {
			if errno == errAgain {
				return nil
			}
			return &failure{f.dst.side, errno}
		}
		f.bytes.Add(int64(n))
		if f.count != nil {
			f.count.Add(int64(n))
		}
		f.taken = l.now
		if f.held > 0 {
			if f.held -= n; f.held == 0 {
				l.pipes.giveBack(f.pipe, true)
			}
		} else if f.rest = f.rest[n:]; len(f.rest) == 0 {
			l.forget(f)
		}
	}
	return nil
}

// forget gives the memory of what waited back.
func (l *loop) forget(f *flow) {
	f.rest = nil
	if f.buf != nil {
		l.spares = append(l.spares, f.buf)
		f.buf = nil
	}
}

// maxSpares is how many buffers for leftovers a loop keeps.
const maxSpares = 16

func (l *loop) spare() []byte {
	if n := len(l.spares); n > 0 {
		b := l.spares[n-1]
		l.spares = l.spares[:n-1]
		return b
	}
	return make([]byte, copyMax)
}

// abandon drops what waits.
func (l *loop) abandon(f *flow) {
	if f.held > 0 {
		l.pipes.giveBack(f.pipe, false)
		f.held = 0
	}
	l.forget(f)
	if len(l.spares) > maxSpares {
		l.spares = l.spares[:maxSpares]
	}
}
