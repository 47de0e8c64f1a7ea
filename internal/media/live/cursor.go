package live

import "sync/atomic"

// Cursor reads a stream in pull mode: for paths where bytes are encrypted,
// framed, patched or parsed before they go anywhere, by a goroutine of its own.
// Joining, headers and skipping are those of a viewer.
//
// One goroutine calls Peek and Advance. The usual loop:
//
//	for {
//		b := c.Peek(64 << 10)
//		if len(b) == 0 {
//			if reason, over := c.Ended(); over { return reason }
//			<-woken // wake sends to it, if it is empty
//			continue
//		}
//		… use b …
//		c.Advance(len(b))
//	}
type Cursor struct {
	// Static.
	stream *Stream
	wake   func()

	// Owned by the reading goroutine.
	r      reader
	closed bool

	// Any goroutine.
	armed atomic.Bool // Peek had nothing: the next append calls wake
	over  atomic.Pointer[over]
}

// over is the end of a broadcast.
type over struct {
	reason Reason
	limit  uint64
}

// NewCursor returns a cursor on the stream. wake is called after Peek has
// returned nothing and there is more, once; and at the end. It is called by the
// publisher's goroutine: it must not block, nor call into this package.
func (s *Stream) NewCursor(form Form, wake func()) *Cursor {
	s.hub.hold(s)
	s.mu.Lock()
	c := &Cursor{stream: s, wake: wake, r: newReader(s.use(form))}
	c.r.entered = stampOf(s.hub.now())
	s.addCursor(c)
	s.mu.Unlock()
	// After the cursor is in the list: of Close and this, one sees the other.
	if s.hub.isClosed() {
		c.finish(ReasonShutdown)
	}
	return c
}

// StartFrom has the cursor begin with the newest key frame that is not after a position,
// or as near to that as is kept: for a receiver that has had the stream up to
// there. If the stream is on another clock it makes no difference. Before the first Peek.
func (c *Cursor) StartFrom(p Position) { c.r.asOrigin().from = p }

// Tell has the cursor give out what f makes of a clock before the first frame that is on it.
// Before the first Peek.
func (c *Cursor) Tell(f func(Clock) []byte) { c.r.asOrigin().tell = f }

// Time returns the stream time of the last message that was advanced over, and
// false if there is none.
func (c *Cursor) Time() (ms int64, ok bool) {
	s := c.r.seg
	if s == nil || c.r.off == s.base {
		return 0, false
	}
	return s.entries[s.find(c.r.off-1)].ms, true
}

// Peek returns the next bytes of the stream, whole messages of up to limit bytes
// in all, or one message or set of headers that is longer. They are shared and
// immutable, and stay valid as long as they are referenced. Nothing: wait for wake.
func (c *Cursor) Peek(limit int) []byte {
	b := c.next()
	if len(b) == 0 {
		c.armed.Store(true)
		// What came between the two is not announced.
		if b = c.next(); len(b) == 0 {
			return nil
		}
		c.armed.Store(false)
	}
	if len(b) <= limit || len(c.r.out) > 0 {
		return b
	}
	return c.r.cut(b, limit)
}

func (c *Cursor) next() []byte {
	if c.closed {
		return nil
	}
	if o := c.over.Load(); o != nil {
		c.r.limit = o.limit
	}
	before := c.r.skips
	c.r.behind = true
	b := c.r.next(stampOf(c.stream.hub.now()), noLimit)
	if c.r.skips != before {
		c.stream.count(c.r.skippedBy, 1)
	}
	return b
}

// Advance moves past n bytes of what Peek returned. If that is within a message,
// the next Peek begins with the rest of it.
func (c *Cursor) Advance(n int) { c.r.advance(n) }

// Skips returns how often the cursor lost part of the stream; each time it goes
// on at a key frame.
func (c *Cursor) Skips() int { return c.r.skips }

// SetReceive chooses the kinds that come, as Viewer.SetReceive does. The reading
// goroutine calls it.
func (c *Cursor) SetReceive(audio, video bool) { c.r.deny = deny(audio, video) }

// Ended reports whether the stream is over. There may still be something to Peek.
func (c *Cursor) Ended() (Reason, bool) {
	if o := c.over.Load(); o != nil {
		return o.reason, true
	}
	return "", false
}

// Close gives the cursor back. It must be called once done, by the reading goroutine.
func (c *Cursor) Close() {
	if c.closed {
		return
	}
	c.closed = true
	s := c.stream
	s.mu.Lock()
	s.removeCursor(c)
	s.mu.Unlock()
	s.unuse(c.r.log)
	s.hub.release(s)
}

// more calls wake if Peek had nothing. Publisher.
func (c *Cursor) more() {
	if c.armed.Load() && c.armed.Swap(false) {
		c.wake()
	}
}

// finish ends the cursor where the log ends now.
func (c *Cursor) finish(reason Reason) {
	if c.over.CompareAndSwap(nil, &over{reason, c.r.log.end.Load()}) {
		c.wake()
	}
}

// cut shortens b, which begins at off, to whole messages of up to limit bytes, at least one.
func (r *reader) cut(b []byte, limit int) []byte {
	s := r.seg
	rel := uint32(r.off - s.base)
	i := s.find(r.off + uint64(limit))
	if to := s.entries[i].off; to > rel {
		return b[:to-rel]
	}
	return b[:s.entries[s.find(r.off)].end()-rel]
}
