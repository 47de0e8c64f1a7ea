package splice

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// loop moves the bytes of its sessions. All is its goroutine's own, except what
// is said otherwise.
type loop struct {
	o        *Options
	poll     *doorbell
	began    time.Time
	now      time.Duration // since began; of the present look
	buf      []byte        // for copies
	spares   [][]byte
	pipes    pipes
	copyOnly bool
	lane     lane
	events   []syscall.EpollEvent
	checkAt  time.Duration

	// Events name a place in the table and the generation that it had when the
	// descriptor was registered: the place may be another session's meanwhile.
	table       []*Session
	free        []int
	generations []int

	sessions atomic.Int32 // also of those on their way here; read by the Joiner
	held     atomic.Int32 // pipes lent; read by the Joiner
	inLane   atomic.Int32

	mu      sync.Mutex
	mail    []mail
	parked  bool // the doorbell has to be rung
	closing bool
}

// eventsAtOnce is how many events one look takes.
const eventsAtOnce = 512

func newLoop(o *Options, pipeMax int) (*loop, error) {
	bell, err := newDoorbell()
	if err != nil {
		return nil, err
	}
	return &loop{
		o: o, poll: bell, began: time.Now(), buf: make([]byte, copyMax), copyOnly: o.Copy,
		pipes: pipes{max: pipeMax}, lane: newLane(o.MaxAdded), events: make([]syscall.EpollEvent, eventsAtOnce),
	}, nil
}

// run is the loop.
func (l *loop) run() {
	gather := l.o.gather()
	for {
		l.now = time.Since(l.began)
		if l.read() {
			break
		}
		n := l.poll.look(l.events)
		for i := range l.events[:n] {
			l.handle(&l.events[i])
		}
		l.sweep()
		if l.now >= l.checkAt {
			l.checkAt = l.now + checkTime
			for _, s := range l.table {
				if s != nil {
					l.check(s)
				}
			}
		}
		l.held.Store(int32(l.pipes.lent))
		l.inLane.Store(int32(l.lane.n))
		switch {
		case n == 0:
			l.rest()
		case gather > 0:
			time.Sleep(gather)
		}
	}
	l.pipes.close()
	l.poll.close()
}

// rest waits until something is to be done.
func (l *loop) rest() {
	wait := time.Duration(-1)
	if len(l.table) > len(l.free) {
		wait = l.checkAt - l.now
		if l.lane.n > 0 {
			wait = min(wait, l.lane.at-l.now)
		}
		if wait <= 0 {
			return
		}
	}
	l.mu.Lock()
	if len(l.mail) > 0 || l.closing && l.sessions.Load() == 0 {
		l.mu.Unlock()
		return
	}
	l.parked = true
	l.mu.Unlock()
	l.poll.wait(wait)
	l.mu.Lock()
	l.parked = false
	l.mu.Unlock()
}

// add takes a session in and moves what is there already.
func (l *loop) add(s *Session) {
	if n := len(l.free); n > 0 {
		s.index, l.free = l.free[n-1], l.free[:n-1]
	} else {
		s.index = len(l.table)
		l.table, l.generations = append(l.table, nil), append(l.generations, 0)
	}
	l.table[s.index] = s
	s.generation = l.generations[s.index]
	for _, f := range []*flow{&s.up, &s.down} {
		f.hear(l.now)
		f.taken = l.now
	}
	for _, e := range []*end{&s.client, &s.server} {
		e.mask, e.key = l.maskOf(s, e), l.key(s, e.side)
		if err := l.poll.add(e.fd, e.mask, e.key); err != nil {
			l.finish(s, ByUs, err)
			return
		}
	}
	l.visit(&s.down)
	if !s.over {
		l.visit(&s.up)
	}
}

// remove makes a session's place free. Events of this look may still name it.
func (l *loop) remove(s *Session) {
	l.table[s.index] = nil
	l.generations[s.index]++
	l.free = append(l.free, s.index)
	l.sessions.Add(-1)
}

// key is what events of a session's end carry. 0 is the doorbell's.
func (l *loop) key(s *Session, side Side) uint64 {
	return uint64(uint32(s.generation))<<32 | uint64(s.index)<<2 | uint64(side)
}

// watch changes what is reported of an end.
func (l *loop) watch(e *end, mask uint32) {
	switch {
	case e.mask == mask:
		return
	case e.off:
		l.poll.add(e.fd, mask, e.key)
	default:
		l.poll.change(e.fd, mask, e.key)
	}
	e.mask, e.off = mask, false
}

func (l *loop) unwatch(e *end) {
	if !e.off {
		l.poll.drop(e.fd)
		e.mask, e.off = 0, true
	}
}

// handle does what an event asks for.
func (l *loop) handle(ev *syscall.EpollEvent) {
	key := keyOf(ev)
	if key == 0 {
		l.poll.rung()
		return
	}
	index, side := int(uint32(key)>>2), Side(key&3)
	s := l.table[index]
	if s == nil || uint32(s.generation) != uint32(key>>32) {
		return
	}
	e, in, out := &s.client, &s.up, &s.down
	if side == ByServer {
		e, in, out = &s.server, out, in
	}
	if ev.Events&(syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		// Whatever was asked for: the call that fails says what it is.
		l.fault(s, e, in)
		return
	}
	if ev.Events&syscall.EPOLLOUT != 0 && out.blocked {
		l.visit(out)
	}
	if !s.over && ev.Events&(syscall.EPOLLIN|syscall.EPOLLRDHUP) != 0 && !in.blocked && !in.eof {
		l.woken(in, l.visit(in))
	}
}
