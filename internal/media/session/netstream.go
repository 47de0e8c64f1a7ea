package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/ops/event"
	"weir/internal/stream"
)

// netStream is one NetStream that publishes or plays.
type netStream struct {
	id        uint32
	client    Client // for whom
	name      stream.Name
	elsewhere atomic.Bool   // carried to another server; see Publish.Elsewhere
	admitted  atomic.Bool   // see Publish.Admitted
	publisher Publisher     // set before the stream is registered; nil for a play
	prompt    bool          // its messages must not wait for a collector; set with publisher
	patience  time.Duration // how long they may wait for it, if it is longer than collectEvery; set with publisher

	evicted *Rejection // before the stream was registered; guarded by conn.mu

	mu               sync.Mutex
	cancel           context.CancelFunc // of a play that is starting
	player           Player             // set when the play has started
	closed           bool
	paused           bool
	noAudio, noVideo bool // what the client does not want
}

// close ends what the stream does.
func (st *netStream) close() {
	st.mu.Lock()
	st.closed = true
	player := st.player
	st.mu.Unlock()
	st.giveUp()
	if st.publisher != nil {
		st.publisher.Close()
	}
	if player != nil {
		player.Leave()
	}
}

// giveUp ends the wait for a play to start, or tidies up after it.
func (st *netStream) giveUp() {
	st.mu.Lock()
	cancel := st.cancel
	st.cancel = nil
	st.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (c *conn) stream(id uint32) *netStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams.of(id)
}

// control notes what the client wants of a play and tells the player, which may
// not have started yet.
func (c *conn) control(id uint32, note func(*netStream), tell func(*netStream, Player)) {
	st := c.stream(id)
	if st == nil {
		return
	}
	st.mu.Lock()
	note(st)
	p := st.player
	st.mu.Unlock()
	if p != nil {
		tell(st, p)
	}
}

func (c *conn) pause(id uint32, on bool) {
	c.control(id, func(st *netStream) { st.paused = on }, func(_ *netStream, p Player) { p.Pause(on) })
}

func (c *conn) receive(id uint32, note func(*netStream)) {
	c.control(id, note, func(st *netStream, p Player) { p.Receive(!st.noAudio, !st.noVideo) })
}

// started gives the stream its player, and the player what the client has wished
// meanwhile; false when the stream has been closed already.
func (st *netStream) started(p Player) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return false
	}
	st.player = p
	if st.noAudio || st.noVideo {
		p.Receive(!st.noAudio, !st.noVideo)
	}
	if st.paused {
		p.Pause(true)
	}
	return true
}

// add registers a NetStream; false when the session is ending, or when the stream
// was evicted before it was known.
func (c *conn) add(st *netStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut || st.evicted != nil {
		return false
	}
	c.streams.add(st)
	c.asking = false // a publish that was asked for is this one
	c.becameLocked(&st.client)
	return true
}

// drop removes a NetStream, unless another has taken its id meanwhile, and
// reports whether it was there and whether others are left.
func (c *conn) drop(st *netStream) (was, others bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was = c.streams.drop(st)
	return was, c.busyLocked()
}

// busyLocked reports whether the session has anything left to do: a publish that takes the place of another
// one of the same session is no stream yet when that one is ended.
func (c *conn) busyLocked() bool { return c.asking || c.streams.count() > 0 }

// asks notes whether the handler is being asked for a publish.
func (c *conn) asks(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = on
}

// refuse tells a client no (tell sends the answer), and ends its session if nothing else of it is running. Members keep their
// connection: it carries other streams. Any goroutine.
func (c *conn) refuse(cl *Client, name string, r *Rejection, tell func() error) error {
	// The end is decided before the client hears why: what it asks for in answer must not keep the session.
	over := cl.Member == "" && c.endsIfAlone(ending{r.Reason, event.ByServer, r.Err, cl.Role})
	err := tell()
	if err == nil {
		s := cl.Session
		if s.Stream == "" { // it is no stream's name: what stands for a query in it is not for the log
			s.Stream, _ = cutQuery(name)
		}
		c.s.o.Emit.Emit(event.Refused{Session: s, Reason: r.Reason, Err: r})
	}
	if over {
		c.hangUp()
	}
	return err
}

// closeStream ends a NetStream at the client's wish.
func (c *conn) closeStream(id uint32) {
	st := c.stream(id)
	if st == nil {
		return
	}
	was, others := c.drop(st)
	if !was {
		return
	}
	st.close()
	if !others && c.client.Member == "" {
		c.readBy(time.Now().Add(c.s.o.Command))
	}
}
