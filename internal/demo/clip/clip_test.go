package clip

import (
	"testing"

	"weir/flv"
)

const loops = 5

// collect returns the media of whole loops, by track.
func collect(t *testing.T) (video, audio []Frame) {
	t.Helper()
	p, err := NewPlayer()
	if err != nil {
		t.Fatal(err)
	}
	for range p.Headers() {
		p.Next()
	}
	for range loops * len(p.media) {
		switch f := p.Next(); f.Type {
		case flv.TagVideo:
			video = append(video, f)
		case flv.TagAudio:
			audio = append(audio, f)
		default:
			t.Fatalf("message type %d in the loop", f.Type)
		}
	}
	return video, audio
}

func TestTimestampsStrictlyIncreaseOverLoops(t *testing.T) {
	video, audio := collect(t)
	for name, track := range map[string][]Frame{"video": video, "audio": audio} {
		for i := 1; i < len(track); i++ {
			if track[i].Timestamp <= track[i-1].Timestamp {
				t.Fatalf("%s frame %d: %d ms after %d ms", name, i, track[i].Timestamp, track[i-1].Timestamp)
			}
		}
	}
}

// Each frame is within one millisecond (what the wire's unit rounds away) of its
// exact time in the track's own clock, after five loops as after none: neither
// track drifts, so they do not drift apart.
func TestTracksDoNotDrift(t *testing.T) {
	video, audio := collect(t)
	if v, a := len(video)/loops, len(audio)/loops; v != 240 || a != 375 {
		t.Fatalf("a loop has %d pictures and %d audio frames, want 240 and 375", v, a)
	}
	for name, c := range map[string]struct {
		track     []Frame
		num, rate int64 // a frame lasts num/rate seconds
	}{
		"video": {video, 1, 30},
		"audio": {audio, 1024, 48000},
	} {
		for i, f := range c.track {
			exact := float64(int64(i)*c.num*1000) / float64(c.rate)
			if d := float64(f.Timestamp) - exact; d <= -1 || d >= 1 {
				t.Fatalf("%s frame %d at %d ms, exactly %.3f", name, i, f.Timestamp, exact)
			}
		}
	}
}

func TestMessagesStayInterleaved(t *testing.T) {
	p, err := NewPlayer()
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	for range len(p.headers) + loops*len(p.media) {
		f := p.Next()
		if f.Timestamp < last {
			t.Fatalf("type %d at %d ms after %d ms", f.Type, f.Timestamp, last)
		}
		last = f.Timestamp
	}
}

func TestHeadersFirstAndOnce(t *testing.T) {
	p, err := NewPlayer()
	if err != nil {
		t.Fatal(err)
	}
	var types []uint8
	for range 3 {
		f := p.Next()
		types = append(types, f.Type)
		if f.Timestamp != 0 {
			t.Errorf("header of type %d at %d ms", f.Type, f.Timestamp)
		}
	}
	if types[0] != flv.TagScript || types[1] == types[2] || types[1]+types[2] != flv.TagAudio+flv.TagVideo {
		t.Fatalf("first messages have types %v, want data, then one audio and one video header", types)
	}
	if f := p.Next(); f.Type == flv.TagVideo && !f.Key {
		t.Fatal("the first picture is no key frame")
	}
}

func TestKeyFrameEverySecond(t *testing.T) {
	video, _ := collect(t)
	for i, f := range video {
		if want := i%30 == 0; f.Key != want {
			t.Fatalf("picture %d: key frame = %v, want %v", i, f.Key, want)
		}
	}
}

func TestSmallEnoughToCommit(t *testing.T) {
	const limit = 400 << 10 // bytes; the clip is in every checkout and every binary
	if n := len(File()); n > limit {
		t.Fatalf("clip is %d bytes, limit %d", n, limit)
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	p, err := NewPlayer()
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(2000, func() { p.Next() }); n != 0 {
		t.Fatalf("%v allocations a frame", n)
	}
}
