package stamp

import (
	"bytes"
	"math"
	"testing"
	"time"

	"weir/flv"
)

func TestStampRoundTrip(t *testing.T) {
	for _, want := range []Stamp{
		{Sent: time.UnixMicro(0)},
		{Stream: ID("live/a"), Epoch: 1, Sequence: 12345, Sent: time.UnixMicro(1_790_000_000_123_456)},
		{Stream: math.MaxUint64, Epoch: math.MaxUint64, Sequence: math.MaxUint64, Sent: time.UnixMicro(math.MaxInt64)},
	} {
		p := Append(nil, want)
		if len(p) != Size {
			t.Fatalf("%d bytes, Size says %d", len(p), Size)
		}
		got, err := Parse(append(p, 1, 2, 3))
		if err != nil {
			t.Fatal(err)
		}
		if got.Stream != want.Stream || got.Epoch != want.Epoch || got.Sequence != want.Sequence || !got.Sent.Equal(want.Sent) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		for _, b := range p {
			if b < 0x80 {
				t.Fatalf("byte %#x could be part of a start code", b)
			}
		}
	}
}

func TestDamagedStampIsRefused(t *testing.T) {
	whole := Append(nil, Stamp{Stream: 7, Epoch: 8, Sequence: 9, Sent: time.UnixMicro(10)})
	for n := range whole {
		if _, err := Parse(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes were accepted", n, len(whole))
		}
	}
	damaged := 0
	for i := range whole {
		p := bytes.Clone(whole)
		p[i] ^= 1
		if _, err := Parse(p); err != nil {
			damaged++
		}
	}
	// Seven bits of check sum let one in 128 pass.
	if damaged < len(whole)-1 {
		t.Fatalf("%d of %d single-bit errors were found", damaged, len(whole))
	}
}

func TestSourceHasTheShapeAskedFor(t *testing.T) {
	const seconds = 20
	shape := Shape{VideoBitrate: 1_000_000, FrameRate: 25, GOP: time.Second, AudioBitrate: 64_000, AudioRate: 50}
	s := NewSource("live/a", 1, shape)
	var video, audio, pictures, sounds int
	last := map[uint8]int64{flv.TagVideo: -1, flv.TagAudio: -1}
	var buf []byte
	for s.Due() < seconds*time.Second {
		due := s.Due()
		f := s.Next(buf, time.UnixMicro(1))
		buf = f.Payload
		if f.Timestamp != due.Milliseconds() || f.Timestamp <= last[f.Type] {
			t.Fatalf("type %d at %d ms, due %v, the last at %d", f.Type, f.Timestamp, due, last[f.Type])
		}
		last[f.Type] = f.Timestamp
		if f.Type == flv.TagVideo {
			info, err := flv.ParseVideo(f.Payload)
			if err != nil || info.Keyframe != (pictures%25 == 0) || info.Keyframe != f.Key {
				t.Fatalf("picture %d: %+v, %v", pictures, info, err)
			}
			pictures++
			video += len(f.Payload)
		} else {
			if _, err := flv.ParseAudio(f.Payload); err != nil {
				t.Fatal(err)
			}
			sounds++
			audio += len(f.Payload)
		}
	}
	if pictures != seconds*25 || sounds != seconds*50 {
		t.Fatalf("%d pictures and %d sounds", pictures, sounds)
	}
	within := func(what string, got, want int) {
		if math.Abs(float64(got-want)) > 0.02*float64(want) {
			t.Errorf("%s: %d bit/s, want %d", what, got, want)
		}
	}
	within("video", video*8/seconds, 1_000_000)
	within("audio", audio*8/seconds, 64_000)
}

func TestHeadersAreSequenceHeaders(t *testing.T) {
	for _, h := range NewSource("live/a", 1, Shape{}).Headers() {
		if h.Type == flv.TagVideo {
			if info, err := flv.ParseVideo(h.Payload); err != nil || !info.SequenceHeader {
				t.Fatalf("%+v, %v", info, err)
			}
		} else if info, err := flv.ParseAudio(h.Payload); err != nil || !info.SequenceHeader {
			t.Fatalf("%+v, %v", info, err)
		}
	}
}

func TestSourceDoesNotAllocate(t *testing.T) {
	s := NewSource("live/a", 1, Shape{})
	buf := make([]byte, 0, 256<<10)
	if n := testing.AllocsPerRun(1000, func() { s.Next(buf, time.UnixMicro(1)) }); n != 0 {
		t.Fatalf("%v allocations a frame", n)
	}
}
