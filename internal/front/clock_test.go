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
func play(s *clock, frames ...rtmp.Message) (out []uint32) {
	for _, m := range frames {
		if s.place(&m) {
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
			var s clock
			s.begin("one")
			if got := play(&s, at(v, 1000), at(a, 1010), at(v, 1040), at(a, 1033)); !slices.Equal(got, []uint32{1000, 1010, 1040, 1033}) {
				t.Fatalf("the first edge's times came out as %v", got)
			}
			s.begin(c.next)
			if got := play(&s, c.then...); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestP3ClockAcrossTheWrapOfTimestamps(t *testing.T) {
	var s clock
	s.begin("one")
	play(&s, at(rtmp.Video, 0xffffffe0))
	s.begin("one")
	if got := play(&s, at(rtmp.Video, 0xffffffe0), at(rtmp.Video, 8)); !slices.Equal(got, []uint32{8}) {
		t.Errorf("got %v, want the one frame after the wrap", got)
	}
}
