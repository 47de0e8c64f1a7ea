package front

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

// play runs frames through s and returns the times of those that are delivered.
func play(c *clock, frames ...rtmp.Message) (out []uint32) {
	for _, m := range frames {
		if c.place(&m) {
			out = append(out, m.Timestamp)
		}
	}
	return out
}

func TestP3ViewerGoesOnAtAnotherEdge(t *testing.T) {
	const v, a = rtmp.Video, rtmp.Audio
	for _, c := range []struct {
		what string
		next string
		then []rtmp.Message
		want []uint32
	}{
		{"the same clock: what it has is dropped, per track", "one",
			[]rtmp.Message{at(v, 1000), at(a, 1010), at(v, 1040), at(a, 1033), at(v, 1080), at(a, 1056)}, []uint32{1080, 1056}},
		{"another clock: moved to the end, in step", "two",
			[]rtmp.Message{at(v, 5_000_000), at(a, 5_000_010), at(v, 5_000_040)}, []uint32{1080, 1090, 1120}},
		{"no name: another clock", "", []rtmp.Message{at(v, 0), at(v, 40)}, []uint32{1080, 1120}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var viewer clock
			viewer.begin("one")
			if got := play(&viewer, at(v, 1000), at(a, 1010), at(v, 1040), at(a, 1033)); !slices.Equal(got, []uint32{1000, 1010, 1040, 1033}) {
				t.Fatalf("the first edge's times came out as %v", got)
			}
			viewer.begin(c.next)
			if got := play(&viewer, c.then...); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Headers come before the frame that shows where the other clock is.
func TestP3HeadersOfAnotherClock(t *testing.T) {
	var c clock
	c.begin("one")
	play(&c, at(rtmp.Video, 1000))
	c.begin("two")
	header, metadata := at(rtmp.Video, 5_000_000), rtmp.Message{Type: rtmp.DataAMF0}
	header.Payload = []byte{0x17, 0, 0, 0, 0, 1}
	if got := play(&c, metadata, header, at(rtmp.Video, 5_000_000)); !slices.Equal(got, []uint32{0, 1000, 1040}) {
		t.Errorf("got %v, want metadata for the whole play, the header where the viewer is, a frame after it", got)
	}
}

func TestP3ClockAcrossTheWrapOfTimestamps(t *testing.T) {
	var c clock
	c.begin("one")
	play(&c, at(rtmp.Video, 0xffffffe0))
	c.begin("one")
	if got := play(&c, at(rtmp.Video, 0xffffffe0), at(rtmp.Video, 8)); !slices.Equal(got, []uint32{8}) {
		t.Errorf("got %v, want the one frame after the wrap", got)
	}
}
