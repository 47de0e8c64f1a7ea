package live

import (
	"slices"
	"testing"

	"weir/rtmp"
)

// at is a coded frame: a key frame of AVC, or AAC.
func at(t rtmp.MessageType, ts uint32) rtmp.Message {
	payload := []byte{0x17, 1, 0, 0, 0, 9}
	if t == rtmp.Audio {
		payload = []byte{0xaf, 1, 9}
	}
	return rtmp.Message{Type: t, Timestamp: ts, Payload: payload}
}

// between is a picture that is no key frame.
func between(ts uint32) rtmp.Message {
	m := at(rtmp.Video, ts)
	m.Payload[0] = 0x27
	return m
}

// play runs frames through and returns the times of those that are delivered.
func play(c *Continuity, frames ...rtmp.Message) (out []uint32) {
	for _, m := range frames {
		if c.Place(&m) {
			out = append(out, m.Timestamp)
		}
	}
	return out
}

func TestP3ViewerGoesOnAtAnotherEdge(t *testing.T) {
	const v, a = rtmp.Video, rtmp.Audio
	for _, c := range []struct {
		what string
		next Clock
		then []rtmp.Message
		want []uint32
	}{
		{"the same clock: what it has is dropped, per track", Clock{Base: "one"},
			[]rtmp.Message{at(v, 1000), at(a, 1010), between(1040), at(a, 1033), between(1080), at(a, 1056)}, []uint32{1080, 1056}},
		{"the same clock, moved there: the same frames go on at the same times", Clock{"one", 500},
			[]rtmp.Message{at(v, 1500), at(a, 1510), between(1540), at(a, 1533), between(1580), at(a, 1556)}, []uint32{1080, 1056}},
		{"the same clock, from a key frame later", Clock{"one", 500},
			[]rtmp.Message{between(1580), at(v, 1620), between(1660)}, []uint32{1120, 1160}},
		{"another clock: moved to the end, in step", Clock{Base: "two"},
			[]rtmp.Message{at(v, 5_000_000), at(a, 5_000_010), between(5_000_040)}, []uint32{1080, 1090, 1120}},
		{"nothing known: another clock", Clock{}, []rtmp.Message{between(0), at(v, 40), between(80)}, []uint32{1080, 1120}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var viewer Continuity
			viewer.Source()
			viewer.SetClock(Clock{Base: "one"})
			if got := play(&viewer, at(v, 1000), at(a, 1010), between(1040), at(a, 1033)); !slices.Equal(got, []uint32{1000, 1010, 1040, 1033}) {
				t.Fatalf("the first server's times came out as %v", got)
			}
			if p := viewer.Position(); p != (Position{"one", 1033}) {
				t.Errorf("its position is %v", p)
			}
			viewer.Source()
			if c.next.Base != "" {
				viewer.SetClock(c.next)
			}
			if got := play(&viewer, c.then...); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The server's clock changes in the midst of a play, because of a new publisher; the next
// server has that publisher on its own clock.
func TestP3ClockThatChangedInBetween(t *testing.T) {
	var viewer Continuity
	viewer.Source()
	viewer.SetClock(Clock{Base: "old"})
	play(&viewer, at(rtmp.Video, 70_000))
	viewer.SetClock(Clock{"new", 70_040})
	if got := play(&viewer, at(rtmp.Video, 70_040), between(70_080)); !slices.Equal(got, []uint32{70_040, 70_080}) {
		t.Errorf("the new publisher is at %v", got)
	}
	viewer.Source()
	viewer.SetClock(Clock{Base: "new"})
	if got := play(&viewer, at(rtmp.Video, 0), between(40), between(80)); !slices.Equal(got, []uint32{70_120}) {
		t.Errorf("at the next server it goes on at %v", got)
	}
}

// Headers come before the frame that shows where the other clock is.
func TestP3HeadersOfAnotherClock(t *testing.T) {
	var c Continuity
	c.SetClock(Clock{Base: "one"})
	play(&c, at(rtmp.Video, 1000))
	c.Source()
	c.SetClock(Clock{Base: "two"})
	header, metadata := at(rtmp.Video, 5_000_000), rtmp.Message{Type: rtmp.DataAMF0, Payload: onMetaData}
	header.Payload = []byte{0x17, 0, 0, 0, 0, 1}
	if got := play(&c, metadata, header, at(rtmp.Video, 5_000_000)); !slices.Equal(got, []uint32{0, 1000, 1040}) {
		t.Errorf("got %v, want metadata for the whole play, the header where the viewer is, a frame after it", got)
	}
}

func TestP3ClockAcrossTheWrapOfTimestamps(t *testing.T) {
	var c Continuity
	c.SetClock(Clock{"one", 0xffff_fff0})
	play(&c, at(rtmp.Video, 0xffffffe0))
	c.Source()
	c.SetClock(Clock{"one", 0xffff_fff0})
	if got := play(&c, at(rtmp.Video, 0xffffffe0), between(8)); !slices.Equal(got, []uint32{8}) {
		t.Errorf("got %v, want the one frame after the wrap", got)
	}
	c.Source()
	c.SetClock(Clock{"one", 100})
	if got := play(&c, at(rtmp.Video, 84), between(8+116), between(48+116)); !slices.Equal(got, []uint32{48}) {
		t.Errorf("from a server that had moved it elsewhere: %v", got)
	}
}
