package session

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"weir/rtmp"
)

// A goroutine that waits for its publisher is woken for every message: by the
// poller, through the scheduler, onto another core, and it reads once more to learn
// that this was all. With hundreds of publishers that is two thirds of what they
// cost. So, once there are many, nobody waits for them: collectors, one a core,
// visit their connections by the clock and take what has come. The descriptor's
// read mark is raised, so that arrivals wake nobody meanwhile.
//
// A collected connection has no goroutine. A collector only takes media and writes
// it into streams, which never waits. Whatever else there is to do (a command, an answer
// owed, an error, the end) is for a goroutine, made for it:
//
//	                 many publishers, nothing to read
//	own goroutine ─────────────────────────────────────▶ collected
//	              ◀─────────────────────────────────────
//	              not media, owes, error, ends, few publishers
const (
	// manyFeeds is from how many publishing connections on they are collected, unless
	// Options say otherwise, and half of it down to how many. Why not fewer: each is read up to collectEvery later. Why
	// not more: a wake-up a message costs 10 us, so 64 of them cost 5 % of a core.
	manyFeeds = 64
	// collectEvery is the time between two rounds of visits. Why not shorter: at 10 ms half
	// of the visits find nothing. Why not longer: it comes on top of what pumps hold back,
	// and what arrives meanwhile has to fit the socket's buffer, of 128 KiB: 50 Mb/s.
	collectEvery = 20 * time.Millisecond
	// collectMark is the read mark of collected connections. Why not less: a key frame
	// would wake the poller for nothing. Why not more: the kernel would enlarge the receive buffer.
	collectMark = 32 << 10
	// visitWish is how much a visit is to find, if its streams may wait for so long: one that has
	// found less comes later the next time. Why not more: see collectMark, and what arrives has to fit
	// the socket's buffer also when a key frame is among it.
	visitWish = collectMark
	// rarest is every how many rounds a connection is visited at least, whatever patience its streams have;
	// a power of two. Why not more: a client that says goodbye waits for as long.
	rarest = 4
	// visitBytes bounds one visit: others wait meanwhile.
	visitBytes = 256 << 10
)

// collector visits connections. Its goroutine ends with close.
type collector struct {
	s    *Server
	wake chan struct{} // capacity 1: the first one came, or the end
	done chan struct{}

	mu     sync.Mutex
	fresh  []*conn // guarded by mu: come since the last round
	closed bool    // guarded by mu

	// The goroutine's own.
	conns  []*conn
	rounds int // so many there were
	every  int // as often as anybody is to be visited: see visits
}

// startCollectors starts them with the first connection that is collected.
func (s *Server) startCollectors() {
	for range runtime.GOMAXPROCS(0) {
		k := &collector{s: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
		s.collectors = append(s.collectors, k)
		go k.run()
	}
}

// collects reports whether connections that publish are collected now.
func (s *Server) collects() bool {
	n := s.feeds.Load()
	if s.collecting.Load() {
		if 2*n < int64(s.o.CollectFrom) {
			s.collecting.Store(false)
		}
	} else if n >= int64(s.o.CollectFrom) {
		s.collecting.Store(true)
	}
	return s.collecting.Load()
}

// collect gives the reader's goroutine up until there is something to do but to
// take media; false when it must go on.
func (c *conn) collect() bool {
	c.s.collectorsOnce.Do(c.s.startCollectors)
	if c.collector == nil {
		c.collector = c.s.collectors[int(c.client.Conn)%len(c.s.collectors)]
	}
	if !c.marked {
		c.marked = c.rtmp.ReadMark(collectMark) == nil
	}
	c.visits = visits{}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visits.most = c.patience()
	if c.end != nil || !c.collector.add(c) {
		return false
	}
	c.parked = true
	return true
}

// attend undoes collect's mark: from now on a goroutine waits for what comes.
func (c *conn) attend() {
	if c.marked {
		c.marked = false
		_ = c.rtmp.ReadMark(1) // fails only when the connection is closed, as the next read will
	}
}

func (k *collector) add(c *conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	k.fresh = append(k.fresh, c)
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return true
}

// close ends the collector. Nothing is collected any more.
func (k *collector) close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
	<-k.done
}

func (k *collector) run() {
	defer close(k.done)
	for {
		closed := k.admit()
		if len(k.conns) == 0 {
			if closed {
				return
			}
			<-k.wake
			continue
		}
		began := time.Now()
		if more := k.round(); more {
			runtime.Gosched()
			continue
		}
		rest := k.every - k.rounds&(k.every-1)
		k.rounds += rest
		time.Sleep(max(time.Duration(rest)*collectEvery-time.Since(began), collectEvery/8))
	}
}

func (k *collector) admit() (closed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns = append(k.conns, k.fresh...)
	clear(k.fresh)
	k.fresh = k.fresh[:0]
	return k.closed
}

// round visits every connection once. more: one of them has more than a visit takes.
func (k *collector) round() (more bool) {
	stay := k.s.collects()
	k.every = rarest
	for i := 0; i < len(k.conns); {
		c := k.conns[i]
		if stay && !c.visits.due(k.rounds) {
			i++
			k.every = min(k.every, c.visits.every)
			continue
		}
		next, full := c.visit(stay)
		more = more || full
		if next == nil {
			k.every = min(k.every, c.visits.every)
			i++
			continue
		}
		n := len(k.conns) - 1
		k.conns[i], k.conns[n] = k.conns[n], nil
		k.conns = k.conns[:n]
		next()
	}
	return more
}

// visit takes the media that has come. leave, if not nil, is to be called when the
// collector has let go of the connection. full: there is more.
func (c *conn) visit(stay bool) (leave func(), full bool) {
	c.mu.Lock()
	mine := c.parked
	c.parked = false
	c.mu.Unlock()
	if !mine {
		return func() {}, false // it ends, and has its goroutine for that
	}
	c.rtmp.NeverWait(true)
	from := c.rtmp.BytesIn()
	work, full := c.takeMedia()
	c.visits.found(int(c.rtmp.BytesIn() - from))
	c.rtmp.NeverWait(false)
	if work == nil && stay && c.again() {
		return nil, full
	}
	if work == nil {
		work = c.listen
	}
	return func() { go c.run(work) }, full
}

// again is the end of a visit: the connection stays collected, unless it has been told to end.
func (c *conn) again() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parked = c.end == nil
	return c.parked
}

// takeMedia writes what has come into its streams. work is what a goroutine has to
// do next; nil: nothing.
func (c *conn) takeMedia() (work func() error, full bool) {
	from := c.rtmp.BytesIn()
	for c.rtmp.BytesIn()-from < visitBytes {
		ev, err := c.rtmp.Next()
		switch {
		case errors.Is(err, rtmp.ErrIdle):
			return nil, false
		case errors.Is(err, rtmp.ErrOwes):
			return c.listen, false
		case err != nil:
			return func() error { return err }, false
		}
		st := c.stream(ev.StreamID)
		if st == nil || st.publisher == nil {
			continue
		}
		if err := st.publisher.Write(ev.Message); err != nil {
			return func() error {
				c.publishFailed(st, err)
				return c.listen()
			}, false
		}
	}
	return nil, true
}
