package session

import (
	"errors"
	"net"
	"os"

	"weir/rtmp"
)

// errParked is talk's way to say that the session goes on without a goroutine.
var errParked = errors.New("session: parked")

// next is the next event. A connection that only plays is parked while its
// client is silent, and one that only publishes is collected if there are many:
// errParked.
func (c *conn) next() (rtmp.Event, error) {
	for {
		if c.s.o.Record && c.taken() {
			return rtmp.Event{}, errTaken
		}
		manner := c.manner()
		if manner != collected {
			c.attend()
		}
		if manner == attended {
			c.start()
		}
		c.rtmp.ReadNow(manner != attended)
		ev, err := c.rtmp.Next()
		switch {
		case errors.Is(err, rtmp.ErrIdle):
			starts := c.starts
			c.starts = nil // once it is parked they are another goroutine's
			if manner == collected && c.collect() || manner == parked && c.park() {
				run(starts)
				return rtmp.Event{}, errParked
			}
			c.starts = starts
			c.unparkable = true
		case errors.Is(err, os.ErrDeadlineExceeded) && c.taken():
			return rtmp.Event{}, errTaken
		case err != nil:
			c.start() // they fail at once, and are waited for
			return ev, err
		default:
			return ev, nil
		}
	}
}

// start starts the plays that wait for it, each on a goroutine: a stream may have to
// be fetched, or waited for, and the client must be heard meanwhile.
func (c *conn) start() {
	for _, start := range c.starts {
		go start()
	}
	c.starts = nil
}

// run is start on a goroutine that has nothing else to do.
func run(starts []func()) {
	if len(starts) == 0 {
		return
	}
	for _, start := range starts[1:] {
		go start()
	}
	starts[0]()
}

// manner is how a connection is read while there is nothing to read.
type manner uint8

const (
	attended  manner = iota // by its goroutine
	parked                  // when it is readable: it plays, and nothing is expected of its client
	collected               // by the clock: it publishes, as many do
)

// manner returns how the connection is to be read now.
func (c *conn) manner() manner {
	if c.unparkable || !c.s.parks(c.nc) {
		return attended
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		return attended
	}
	streams, publishing := 0, 0
	for st := range c.streams.all() {
		if st.prompt {
			return attended
		}
		streams++
		if st.publisher != nil {
			publishing++
		}
	}
	switch {
	case streams == 0:
		return attended
	case publishing == 0:
		return parked
	case publishing == streams && c.feeding().collects():
		return collected
	}
	return attended
}

// feeding counts the connection among those that publish.
func (c *conn) feeding() *Server {
	if !c.feeds {
		c.feeds = true
		c.s.feeds.Add(1)
	}
	return c.s
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
	again := c.number != 0
	if !again {
		c.number = c.s.parker.number(c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || c.taking != nil {
		return false
	}
	c.parked = true
	// Under the lock: an event that comes at once waits for it in unpark.
	var armed error
	if err := raw.Control(func(fd uintptr) { armed = c.s.parker.arm(int(fd), c.number, again) }); err != nil || armed != nil {
		c.parked = false
		return false
	}
	return true
}

// glance reads what a parked client has said. Nearly always it acknowledges what it has got,
// and its connection is parked again; for all else there is a goroutine. The watcher's
// goroutine calls it, so it does not wait.
func (c *conn) glance() {
	c.mu.Lock()
	mine := c.parked
	c.parked = false
	c.mu.Unlock()
	if !mine {
		return
	}
	c.rtmp.NeverWait(true)
	_, err := c.rtmp.Next() // there is no media from one who does not publish
	c.rtmp.NeverWait(false)
	switch {
	case errors.Is(err, rtmp.ErrIdle) && c.park():
	case err == nil, errors.Is(err, rtmp.ErrIdle), errors.Is(err, rtmp.ErrOwes):
		go c.run(c.listen)
	default:
		go c.run(func() error { return err })
	}
}

func (c *conn) unparkLocked() {
	if c.parked { // collected ones too
		c.parked = false
		go c.run(c.listen)
	}
}
