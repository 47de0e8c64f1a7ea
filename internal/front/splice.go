package front

import (
	"weir/flv"
	"weir/rtmp"
)

// spliceStep is the distance between the last frame of one edge and the first of
// the next, in milliseconds, when their clocks differ: a frame at 25 a second.
const spliceStep = 40

// splice keeps a carried viewer's timestamps continuous when its edge changes.
// Edges that name the same clock deliver the same frame at the same time: what
// the viewer has is dropped. Otherwise the new edge's times are moved to where
// the old one's ended; it begins with a key frame either way.
type splice struct {
	timeline string
	begun    bool
	offset   uint32  // added to the present edge's timestamps
	moved    bool    // the offset of a new clock is not known yet
	resuming [2]bool // the same clock again: what is not newer is dropped, up to the first that is
	last     [2]lastTime
	newest   uint32
}

type lastTime struct {
	at  uint32
	set bool
}

// begin prepares for the next edge.
func (s *splice) begin(timeline string) {
	if s.begun {
		same := timeline != "" && timeline == s.timeline
		s.resuming = [2]bool{same, same}
		s.moved = !same
	}
	s.timeline = timeline
}

// place moves one message and reports whether the viewer is to get it.
func (s *splice) place(m *rtmp.Message) bool {
	track, frame := kind(m)
	if !frame {
		if m.Type == rtmp.DataAMF0 && m.Timestamp == 0 {
			return true // metadata for the whole play
		}
		m.Timestamp += s.offset
		if s.begun && int32(m.Timestamp-s.newest) < 0 {
			m.Timestamp = s.newest
		}
		return true
	}
	if s.moved {
		s.offset = s.newest + spliceStep - m.Timestamp
		s.moved = false
	}
	m.Timestamp += s.offset
	l := &s.last[track]
	if l.set {
		switch d := int32(m.Timestamp - l.at); {
		case d <= 0 && s.resuming[track]:
			return false
		case d < 0:
			m.Timestamp = l.at
		}
	}
	s.resuming[track] = false
	l.at, l.set = m.Timestamp, true
	if !s.begun || int32(m.Timestamp-s.newest) > 0 {
		s.newest = m.Timestamp
	}
	s.begun = true
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
