package splice

import (
	"syscall"
	"time"
)

// Session is two joined connections. Its methods may be called by any goroutine,
// also after its end.
type Session struct {
	loop           *loop
	client, server end
	up, down       flow // client to server, server to client

	stall, clientIdle time.Duration
	ended             func(Ended)

	// The loop's.
	index, generation int // in loop.table
	over              bool
	ending            *Ended        // set: only client's close is waited for
	by                Side          // who closed first
	until             time.Duration // when the rest has to be over; 0: no such time
}

// Bytes are what each end has taken so far.
func (s *Session) Bytes() (toClient, toServer int64) { return s.down.bytes.Load(), s.up.bytes.Load() }

// ClientSilence is for how long the client has said nothing.
func (s *Session) ClientSilence() time.Duration {
	return max(0, time.Since(s.loop.began)-time.Duration(s.up.heardAt.Load()))
}

// ServerSilence is for how long the server has said nothing, although the client would have
// taken it.
func (s *Session) ServerSilence() time.Duration {
	if s.down.waiting.Load() {
		return 0 // it is not listened to
	}
	return max(0, time.Since(s.loop.began)-time.Duration(s.down.heardAt.Load()))
}

// End ends the session from outside: the client gets what has been read for it,
// then the end of the stream.
func (s *Session) End() { s.loop.post(mail{end: s}) }

// visit moves what there is in one direction and does what follows. It returns
// how much there was.
func (l *loop) visit(f *flow) int {
	s := f.s
	if s.ending != nil && f == &s.up {
		return l.lastVisit(s)
	}
	got, bad := l.move(f)
	if bad != nil {
		l.finish(s, bad.side, bad.err)
		return got
	}
	l.settle(s, f)
	return got
}

// settle brings a flow's state in line after a visit.
func (l *loop) settle(s *Session, f *flow) {
	if f.blocked != f.waits() {
		f.blocked = f.waits()
		if f.blocked {
			f.taken = l.now // from when on it has to take something
		} else {
			f.hear(l.now) // nobody has listened
		}
		f.waiting.Store(f.blocked)
		l.watch(f.dst, l.maskOf(s, f.dst))
		l.watch(f.src, l.maskOf(s, f.src))
	}
	if !f.eof || f.shut || f.blocked {
		return
	}
	f.shut = true
	l.leave(f, true)
	l.watch(f.src, l.maskOf(s, f.src))
	other := &s.up
	if f == other {
		other = &s.down
	}
	if other.shut {
		l.finish(s, s.by, ErrClosed)
		return
	}
	shutWrite(f.dst.fd)
	if s.ending == nil {
		s.by = f.src.side
		s.until = l.now + halfClosed
	}
}

// maskOf is what is to be reported of an end: bytes unless they cannot be passed on, room
// if something waits for it. An error always is.
func (l *loop) maskOf(s *Session, e *end) (mask uint32) {
	in, out := &s.up, &s.down
	if e == &s.server {
		in, out = out, in
	}
	if !in.blocked && !in.eof {
		mask |= syscall.EPOLLIN | syscall.EPOLLRDHUP
	}
	if out.blocked {
		mask |= syscall.EPOLLOUT
	}
	return mask
}

// lastVisit reads, after the session has been ended, until the client closes.
func (l *loop) lastVisit(s *Session) int {
	for {
		n, errno := discard(s.client.fd, l.buf)
		if n == 0 && errno == errAgain {
			return 0
		}
		if n == 0 {
			l.finish(s, s.ending.By, s.ending.Err)
			return 0
		}
	}
}

// end begins the end of a session: the server is let go, the client gets what
// has been read for it and then the end.
func (l *loop) end(s *Session, by Side, err error) {
	if s.over || s.ending != nil {
		return
	}
	s.ending = &Ended{By: by, Err: err}
	s.until = l.now + lastWords
	l.abandon(&s.up)
	s.up.blocked = false
	if !s.down.eof {
		s.down.eof = true
		l.leave(&s.down, true)
	}
	l.leave(&s.up, true)
	syscall.Shutdown(s.server.fd, syscall.SHUT_RDWR)
	// A closed socket is reported whatever is asked for.
	l.unwatch(&s.server)
	if s.up.eof {
		s.up.shut = true
	}
	l.watch(&s.client, l.maskOf(s, &s.client))
	l.settle(s, &s.down)
}

// finish ends a session at once.
func (l *loop) finish(s *Session, by Side, err error) {
	if s.over {
		return
	}
	s.over = true
	switch {
	case s.ending != nil:
		by, err = s.ending.By, s.ending.Err
	case s.until != 0 && err != ErrLinger:
		by, err = s.by, ErrClosed // what failed since is only its consequence
	}
	for _, f := range []*flow{&s.up, &s.down} {
		l.leave(f, true)
		l.abandon(f)
	}
	s.closeBoth()
	l.remove(s)
	toClient, toServer := s.Bytes()
	s.ended(Ended{By: by, Err: err, ToClient: toClient, ToServer: toServer})
}

func (s *Session) closeBoth() {
	for _, fd := range []int{s.client.fd, s.server.fd} {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}

// fault handles an error of one end, or that it is closed in both directions.
func (l *loop) fault(s *Session, e *end, in *flow) {
	if errno, err := syscall.GetsockoptInt(e.fd, syscall.SOL_SOCKET, syscall.SO_ERROR); err == nil && errno != 0 {
		l.finish(s, e.side, syscall.Errno(errno))
		return
	}
	if in.blocked || in.eof {
		l.unwatch(e) // it would be reported for ever
		return
	}
	l.visit(in)
}

// check holds a session against its limits.
func (l *loop) check(s *Session) {
	switch {
	case s.until != 0 && l.now > s.until:
		l.finish(s, s.by, ErrLinger)
	case s.ending != nil:
	case s.stall > 0 && s.down.blocked && l.now-s.down.taken > s.stall:
		l.finish(s, ByClient, ErrStalled)
	case s.stall > 0 && s.up.blocked && l.now-s.up.taken > s.stall:
		l.end(s, ByServer, ErrStalled)
	case s.clientIdle > 0 && !s.up.eof && !s.up.blocked && l.now-s.up.heard > s.clientIdle:
		l.end(s, ByClient, ErrIdle)
	}
}
