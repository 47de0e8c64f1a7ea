package session

import (
	"errors"
	"net"
	"os"
	"time"

	"weir/rtmp"
)

// errParked is talk's way to say that the session goes on without a goroutine.
var errParked = errors.New("session: parked")

// next is the next event. A connection that only plays is parked while its
// client is silent: errParked.
func (c *conn) next() (rtmp.Event, error) {
	for {
		resting := c.resting()
		c.rtmp.ReadNow(resting)
		ev, err := c.rtmp.Next()
		switch {
		case errors.Is(err, rtmp.ErrIdle):
			if c.park() {
				return rtmp.Event{}, errParked
			}
			c.unparkable = true
		case errors.Is(err, os.ErrDeadlineExceeded) && c.nudged.Swap(false):
			c.readBy(time.Time{})
		default:
			return ev, err
		}
	}
}

// resting reports whether nothing is expected of the client: it plays, and every
// play has started.
func (c *conn) resting() bool {
	if c.unparkable || !c.s.parks(c.nc) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || len(c.streams) == 0 {
		return false
	}
	for _, st := range c.streams {
		if st.publisher != nil || !st.plays() {
			return false
		}
	}
	return true
}

// parks reports whether connections of this kind can be parked. The parker starts
// with the first that can: a server of others has no use for its descriptors and
// its thread.
func (s *Server) parks(nc net.Conn) bool {
	if _, plain := nc.(*net.TCPConn); !plain {
		return false
	}
	s.startParker.Do(func() { s.parker = newParker() })
	return s.parker != nil
}

// park gives the reader's goroutine up until the client says something, or the
// session is told to end; false when it must go on.
func (c *conn) park() bool {
	raw, err := c.nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	if c.number == 0 {
		c.number = c.s.parker.number(c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		return false
	}
	c.parked = true
	// Under the lock: an event that comes at once waits for it in unpark.
	var armed error
	if err := raw.Control(func(fd uintptr) { armed = c.s.parker.arm(int(fd), c.number) }); err != nil || armed != nil {
		c.parked = false
		return false
	}
	return true
}

// unpark goes on reading, on a new goroutine.
func (c *conn) unpark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unparkLocked()
}

func (c *conn) unparkLocked() {
	if c.parked {
		c.parked = false
		go c.run(c.listen)
	}
}

// nudge makes a reader that waits look whether it may be parked.
func (c *conn) nudge() {
	if !c.s.parks(c.nc) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		c.nudged.Store(true)
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}
