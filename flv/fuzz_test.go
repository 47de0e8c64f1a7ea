package flv

import (
	"bytes"
	"testing"
)

// seedMessages adds the bodies of a real file and of the tables.
func seedMessages(f *testing.F, typ uint8, more ...string) {
	tags, err := readAll(NewReader(bytes.NewReader(realFile(f)), 0))
	if err != nil {
		f.Fatal(err)
	}
	for _, tag := range tags {
		if tag.Type == typ {
			f.Add(tag.Payload)
		}
	}
	for _, s := range more {
		f.Add(unhex(f, s))
	}
}

// inside fails unless the tracks of a message lie in order within it.
func inside(t *testing.T, p []byte, tracks int, seq func(func(Track) bool)) {
	n, used := 0, 0
	for x := range seq {
		n++
		used += len(x.Body)
	}
	if n != tracks || used > len(p) || n > MaxTracks {
		t.Fatalf("%d tracks of %d, %d bytes of %d", n, tracks, used, len(p))
	}
}

func FuzzVideo(f *testing.F) {
	seedMessages(f, TagVideo,
		"90"+hexHEVC+hevcMain66x38, "91"+hexHEVC+"000021ff", "90"+hexAV1+av1Main66x38, "90"+hexVP9+vp9Record,
		"17 00 000000"+avcHigh66x38, "1c 00 000000"+hevcMain10, "17 00 000000"+avcInterlaced, "d0 01", "94"+hexHEVC+"02",
		"9611"+hexAVC+"00 000004 000010 aa 01 000005 000020 bbbb", "9621"+hexAV1+"00 000001 aa"+hexHEVC+"01 000004 000007 bb",
		"97 02 0f423f 01"+hexHEVC+"000001 ff", "97 02 000007 06 13"+hexHEVC+"00 000001 aa", "97ff00ff")
	f.Fuzz(func(t *testing.T, p []byte) {
		n := allocated(func() {
			v, err := ParseVideo(p)
			if v.BodyOffset < 0 || v.BodyOffset > len(p) {
				t.Fatalf("body at %d of %d", v.BodyOffset, len(p))
			}
			if err != nil {
				if v.Keyframe || v.SequenceHeader {
					t.Fatalf("%+v beside %v", v, err)
				}
				return
			}
			if v.Keyframe && (v.SequenceHeader || v.Command || v.Opaque) {
				t.Fatalf("%+v", v)
			}
			inside(t, p, v.TrackCount, v.Tracks(p))
			for x := range v.Tracks(p) {
				for _, codec := range []FourCC{x.FourCC, AVC, HEVC, AV1, VP9} {
					c, err := ParseVideoConfig(codec, x.Body)
					if c.Width < 0 || c.Width > maxSide || c.Height < 0 || c.Height > maxSide || err != nil && c.Width != 0 {
						t.Fatalf("%+v, %v", c, err)
					}
				}
			}
			// An info that is used with another message must not panic either.
			for range v.Tracks(p[:len(p)/2]) {
				continue
			}
		})
		if n > maxAlloc(len(p)) {
			t.Fatalf("%d bytes allocated for %d", n, len(p))
		}
	})
}

func FuzzAudio(f *testing.F) {
	seedMessages(f, TagAudio,
		"90"+hexOpus+opusStereo, "90"+hexFLAC+flacStereo44100, "91"+hexOpus+"ff", "94"+hexAC3+"0106", "af002b118800",
		"9510"+hexAAC+"00 000002 1210 01 000002 1190", "9521"+hexAAC+"00 000001 aa"+hexOpus+"01 000001 bb", "97 02 000005 05 01"+hexOpus+"07ff")
	f.Fuzz(func(t *testing.T, p []byte) {
		n := allocated(func() {
			a, err := ParseAudio(p)
			if a.BodyOffset < 0 || a.BodyOffset > len(p) {
				t.Fatalf("body at %d of %d", a.BodyOffset, len(p))
			}
			if err != nil {
				return
			}
			inside(t, p, a.TrackCount, a.Tracks(p))
			for x := range a.Tracks(p) {
				for _, codec := range []FourCC{x.FourCC, AAC, Opus, FLAC} {
					if c, _ := ParseAudioConfig(codec, x.Body); c.SampleRate < 0 || c.Channels < 0 || c.Channels > 255 {
						t.Fatalf("%+v", c)
					}
				}
			}
			for range a.Tracks(p[:len(p)/2]) {
				continue
			}
		})
		if n > maxAlloc(len(p)) {
			t.Fatalf("%d bytes allocated for %d", n, len(p))
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add(realFile(f))
	f.Add(AppendHeader(nil, true, true))
	f.Add(AppendTag(AppendHeader(nil, true, true), TagVideo, 1<<24, []byte{0x17, 0}))
	f.Add([]byte("FLV\x01\x05\x00\x00\x00\x0bxx\x00\x00\x00\x00"))
	f.Add(append(AppendHeader(nil, false, true), 9, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
	f.Fuzz(func(t *testing.T, p []byte) {
		var tags []Tag
		var err error
		r := NewReader(bytes.NewReader(p), 0)
		n := allocated(func() {
			last := int64(-1)
			for {
				var tag Tag
				if tag, err = r.ReadTag(); err != nil {
					return
				}
				if r.Offset() <= last || r.Offset() > int64(len(p)) {
					t.Fatalf("no progress: %d after %d", r.Offset(), last)
				}
				last = r.Offset()
				tags = append(tags, Tag{Type: tag.Type, Timestamp: tag.Timestamp, Payload: bytes.Clone(tag.Payload)})
			}
		})
		if n > maxAlloc(len(p)) {
			t.Fatalf("%d bytes allocated for %d", n, len(p))
		}
		// What was read, written and read again is the same.
		b := AppendHeader(nil, true, true)
		for _, tag := range tags {
			b = AppendTag(b, tag.Type, tag.Timestamp, tag.Payload)
		}
		again, err := readAll(NewReader(bytes.NewReader(b), 0))
		if err != nil || len(again) != len(tags) {
			t.Fatalf("%d tags of %d, %v", len(again), len(tags), err)
		}
		for i, tag := range again {
			if tag.Type != tags[i].Type || tag.Timestamp != tags[i].Timestamp || !bytes.Equal(tag.Payload, tags[i].Payload) {
				t.Fatalf("tag %d differs", i)
			}
		}
	})
}
