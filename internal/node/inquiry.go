package node

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

const (
	// absentFor is how long a name stays absent that no origin had. Why not longer: a publisher who comes
	// meanwhile is announced by nobody. Why not shorter: each look asks every origin.
	absentFor = time.Second
	// absentMost bounds how many of them are remembered; the rest are asked for again.
	absentMost = 10_000
	// silentFor is how long an origin is not asked that did not answer in time. Why not longer: its streams
	// are not found so long after it has woken. Why not shorter: every play of an absent name waits for it.
	silentFor = 2 * time.Second
	// refusedFor is the same for one that could not be asked at all: nobody waited for it. Why not shorter: each
	// play of an absent name would open a connection to it.
	refusedFor = 500 * time.Millisecond
	// askedMost bounds the questions that one origin has not answered yet; others wait for their turn. Why not more: a flood
	// of absent names must not become one of questions. Why not fewer: all streams of an edge are looked for at a time when their
	// owner dies while the store is away.
	askedMost = 64
)

// scope says who is asked, and so whether what they do not have may be remembered.
type scope int

const (
	someOrigins scope = iota // one is left out: nothing is remembered
	allOrigins               // of the registry
	allMissing               // all that the registry has lost
)

// absence is a name that nobody in a scope has.
type absence struct {
	in   scope
	name stream.Name
}

// inquiry asks the origins who publishes a stream, while the registry cannot say.
type inquiry struct {
	ask func(ctx context.Context, addr string, name stream.Name) (silence, error)

	mu     sync.Mutex
	absent map[absence]time.Time // until when
	silent map[string]time.Time  // origins' addresses, likewise
	asking map[string]*questions // by address
}

// questions are those to one origin.
type questions struct {
	turns chan struct{} // full: askedMost are under way
	users int           // that are under way, or wait for their turn
}

func newInquiry(ask func(context.Context, string, stream.Name) (silence, error)) *inquiry {
	return &inquiry{ask: ask, absent: make(map[absence]time.Time), silent: make(map[string]time.Time), asking: make(map[string]*questions)}
}

// find asks those origins, within ownerTimeout. What a whole scope does not have is
// remembered.
func (q *inquiry) find(parent context.Context, origins []cluster.Node, name stream.Name, in scope) (relay.Source, bool) {
	if q.isAbsent(in, name) {
		return relay.Source{}, false
	}
	ctx, cancel := context.WithTimeout(parent, ownerTimeout)
	defer cancel()
	var wg sync.WaitGroup
	var unheard atomic.Bool // an origin that has not said whether it has the stream
	found := make(chan relay.Source, 1)
	for _, origin := range origins {
		addr := origin.Addresses.RTMP
		wg.Go(func() {
			if !q.begin(ctx, addr) {
				unheard.Store(true)
				return
			}
			s, err := q.ask(ctx, addr, name)
			if err != nil {
				unheard.Store(true)
			}
			var quiet time.Duration
			switch {
			case err == nil && s.live():
				select {
				case found <- relay.Source{Node: origin.Name, Addr: addr}:
					cancel() // one is enough: its feed says under which epoch
				default:
				}
			case err == nil || parent.Err() != nil:
			case errors.Is(ctx.Err(), context.DeadlineExceeded):
				quiet = silentFor
			case ctx.Err() == nil:
				quiet = refusedFor
			}
			q.end(addr, quiet)
		})
	}
	wg.Wait()
	select {
	case src := <-found:
		return src, true
	default:
	}
	if !unheard.Load() && parent.Err() == nil {
		q.noteAbsent(in, name)
	}
	return relay.Source{}, false
}

func (q *inquiry) isAbsent(in scope, name stream.Name) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Now().Before(q.absent[absence{in, name}])
}

func (q *inquiry) noteAbsent(in scope, name stream.Name) {
	if in == someOrigins {
		return
	}
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.absent) >= absentMost {
		maps.DeleteFunc(q.absent, func(_ absence, until time.Time) bool { return !now.Before(until) })
	}
	if len(q.absent) < absentMost {
		q.absent[absence{in, name}] = now.Add(absentFor)
	}
}

// begin waits for a turn to ask an origin, and reports whether it has come: until ctx ends, and unless the origin is to be left
// alone.
func (q *inquiry) begin(ctx context.Context, addr string) bool {
	q.mu.Lock()
	if q.quiet(addr) {
		q.mu.Unlock()
		return false
	}
	a := q.asking[addr]
	if a == nil {
		a = &questions{turns: make(chan struct{}, askedMost)}
		q.asking[addr] = a
	}
	a.users++
	q.mu.Unlock()
	came := false
	select {
	case a.turns <- struct{}{}:
		came = true
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if came && !q.quiet(addr) {
		return true
	}
	q.leave(addr, came)
	return false
}

// end is the end of a question, after which the origin is not asked for a while.
func (q *inquiry) end(addr string, quiet time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if quiet > 0 {
		q.silent[addr] = time.Now().Add(quiet)
	}
	q.leave(addr, true)
}

// leave is the end of a question, or of the wait for one's turn. It needs q.mu.
func (q *inquiry) leave(addr string, turn bool) {
	a := q.asking[addr]
	if turn {
		<-a.turns
	}
	if a.users--; a.users == 0 {
		delete(q.asking, addr)
	}
}

// quiet reports whether an origin has just not answered. It needs q.mu.
func (q *inquiry) quiet(addr string) bool {
	until, noted := q.silent[addr]
	if noted && !time.Now().Before(until) {
		delete(q.silent, addr)
		return false
	}
	return noted
}
