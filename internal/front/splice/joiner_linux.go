package splice

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// Joiner is all joined connections of a process. Its methods may be called by any
// goroutine.
type Joiner struct {
	o Options

	mu     sync.Mutex
	loops  []*loop
	closed bool
	over   sync.WaitGroup
}

// New returns a Joiner without sessions. Loops start as they are needed.
func New(o Options) *Joiner { return &Joiner{o: o.withDefaults()} }

// Join takes over two connections and joins them. When it fails both are closed
// and Ended is not called.
func (j *Joiner) Join(p Pair) (*Session, error) {
	s := &Session{stall: p.Stall, clientIdle: p.ClientIdle, ended: p.Ended}
	client, cErr := detach(p.Client)
	server, sErr := detach(p.Server)
	s.client = end{fd: client, side: ByClient}
	s.server = end{fd: server, side: ByServer}
	if err := errors.Join(cErr, sErr); err != nil {
		s.closeBoth()
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	s.up = flow{s: s, src: &s.client, dst: &s.server, rest: p.ToServer, count: p.CountToServer}
	s.down = flow{s: s, src: &s.server, dst: &s.client, rest: p.ToClient, count: p.CountToClient}
	// Here and not by the loop, which may pause: the one who has waited for the answer
	// to a play would wait for that as well.
	s.down.begin()
	s.up.begin()
	l, err := j.loop()
	if err != nil {
		s.closeBoth()
		return nil, err
	}
	s.loop = l
	l.post(mail{join: s})
	return s, nil
}

// loop chooses the loop of a new session: the first that is not full, or else the
// one with the fewest.
func (j *Joiner) loop() (*loop, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, net.ErrClosed
	}
	var least *loop
	for _, l := range j.loops {
		if least == nil || l.sessions.Load() < least.sessions.Load() {
			least = l
		}
		if l.sessions.Load() < perLoop {
			least = l
			break
		}
	}
	if least == nil || least.sessions.Load() >= perLoop && len(j.loops) < j.o.Loops {
		l, err := newLoop(&j.o, max(1, j.o.Pipes/j.o.Loops))
		if err != nil && least == nil {
			return nil, err
		}
		if err == nil {
			j.loops = append(j.loops, l)
			j.over.Go(l.run)
			least = l
		}
	}
	least.sessions.Add(1)
	return least, nil
}

// Close ends all sessions in good order and waits for them.
func (j *Joiner) Close() {
	j.mu.Lock()
	j.closed = true
	loops := j.loops
	j.mu.Unlock()
	for _, l := range loops {
		l.close()
	}
	j.over.Wait()
}

// Stats are a Joiner's figures of the moment.
type Stats struct {
	Sessions int
	Pipes    int // that hold data
	InLane   int // directions that are visited by the clock
}

// Stats returns them. Pipes and InLane are those of each loop's last look.
func (j *Joiner) Stats() (st Stats) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.loops {
		st.Sessions += int(l.sessions.Load())
		st.Pipes += int(l.held.Load())
		st.InLane += int(l.inLane.Load())
	}
	return st
}
