package live

import (
	"time"

	"weir/rtmp"
)

// Continuity makes one stream of messages out of those of one server after the
// other, by the rules of a [Stream], for one who has no stream: what was delivered is not
// delivered again, time does not go back, what is in step stays so, and after a change of
// clocks pictures begin at a key frame. The zero value is ready. One goroutine uses it.
type Continuity struct {
	clock   timeline
	began   time.Time // the first message came; times are counted from there
	named   bool
	needKey bool
}

// Source expects the messages of the next server.
func (c *Continuity) Source() {
	c.named, c.clock.src = false, nil
	c.needKey = c.clock.begun
}

// SetClock says on which clock what follows is. Without it, nothing is known of that.
func (c *Continuity) SetClock(on Clock) {
	c.named = true
	c.clock.begin(on)
}

// Position is how far the messages have come.
func (c *Continuity) Position() Position { return c.clock.position() }

// Place puts a message where it belongs, and reports whether it is to be delivered.
func (c *Continuity) Place(m *rtmp.Message) bool {
	f, r := classify(m.Type, m.Payload)
	switch {
	case f.role == roleMetadata && m.Timestamp == 0:
		return true // for the whole play
	case r != "" || f.role != roleFrame:
		m.Timestamp = uint32(c.clock.beside(m.Timestamp))
		return true
	case !c.named:
		c.SetClock(Clock{})
	}
	var ms int64
	if f.kind() == 0 {
		ms, r = c.clock.data(m.Timestamp)
	} else {
		if c.needKey && f.video() && !f.key() {
			return false
		}
		if c.began.IsZero() {
			c.began = time.Now()
		}
		ms, r = c.clock.media(time.Since(c.began), f.kind(), f.track, m.Timestamp)
		if f.video() && c.clock.follows(f.kind(), f.track) {
			c.needKey = false
		}
	}
	m.Timestamp = uint32(ms)
	return r == ""
}
