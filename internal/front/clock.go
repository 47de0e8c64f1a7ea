package front

import (
	"weir/flv"
	"weir/rtmp"
)

// clockStep is the distance between the last frame of one edge and the first of
// the next, in milliseconds, when their clocks differ: a frame at 25 a second.
const clockStep = 40

// clock keeps a carried viewer's timestamps continuous when its edge changes.
// Edges that name the same clock deliver the same frame at the same time: what
// the viewer has is dropped. Otherwise the new edge's times are moved to where
// the old one's ended; it begins with a key frame either way.
type clock struct {
	timeline string
	begun    bool
	offset   uint32  // added to the present edge's timestamps
	unset    bool    // the offset is not known yet: no frame of the new clock has come
	resuming [2]bool // the same clock again: what is not newer is dropped, up to the first that is
	last     [2]lastTime
	newest   uint32
}

type lastTime struct {
	at  uint32
	set bool
}

// begin prepares for the next edge.
func (c *clock) begin(timeline string) {
	if c.begun {
		same := timeline != "" && timeline == c.timeline
		c.resuming = [2]bool{same, same}
		c.unset = !same
	}
	c.timeline = timeline
}

// place moves one message and reports whether the viewer is to get it.
func (c *clock) place(m *rtmp.Message) bool {
	track, frame := kind(m)
	if !frame {
		if m.Type == rtmp.DataAMF0 && m.Timestamp == 0 {
			return true // metadata for the whole play
		}
		m.Timestamp += c.offset
		// Headers come before the frame that says how far the new clock is off.
		if c.unset || c.begun && int32(m.Timestamp-c.newest) < 0 {
			m.Timestamp = c.newest
		}
		return true
	}
	if c.unset {
		c.offset = c.newest + clockStep - m.Timestamp
		c.unset = false
	}
	m.Timestamp += c.offset
	l := &c.last[track]
	if l.set {
		switch d := int32(m.Timestamp - l.at); {
		case d <= 0 && c.resuming[track]:
			return false
		case d < 0:
			m.Timestamp = l.at
		}
	}
	c.resuming[track] = false
	l.at, l.set = m.Timestamp, true
	if !c.begun || int32(m.Timestamp-c.newest) > 0 {
		c.newest = m.Timestamp
	}
	c.begun = true
	return true
}

// kind is the track of a coded frame, and false for headers and data.
func kind(m *rtmp.Message) (track int, frame bool) {
	switch m.Type {
	case rtmp.Video:
		v, err := flv.ParseVideo(m.Payload)
		return 0, err == nil && !v.SequenceHeader
	case rtmp.Audio:
		a, err := flv.ParseAudio(m.Payload)
		return 1, err == nil && !a.SequenceHeader
	}
	return 0, false
}
