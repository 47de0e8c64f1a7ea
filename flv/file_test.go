package flv

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
)

// realFile is a second of H.264 with B-frames and AAC, as ffmpeg wrote it.
func realFile(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/avc-aac.flv")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readAll(r *Reader) (tags []Tag, err error) {
	for {
		tag, err := r.ReadTag()
		if err == io.EOF {
			return tags, nil
		}
		if err != nil {
			return tags, err
		}
		tag.Payload = bytes.Clone(tag.Payload)
		tags = append(tags, tag)
	}
}

func TestReadRealFile(t *testing.T) {
	b := realFile(t)
	r := NewReader(bytes.NewReader(b), 0)
	h, err := r.ReadHeader()
	if err != nil || !h.Audio || !h.Video {
		t.Fatalf("%+v, %v", h, err)
	}
	tags, err := readAll(r)
	if err != nil || r.Offset() != int64(len(b)) || r.Mismatches() != 0 {
		t.Fatalf("%v at %d of %d, %d mismatches", err, r.Offset(), len(b), r.Mismatches())
	}
	var keys, pictures, headers int
	var video VideoConfig
	var audio AudioConfig
	for _, tag := range tags {
		switch tag.Type {
		case TagVideo:
			v, err := ParseVideo(tag.Payload)
			if err != nil || v.FourCC != AVC {
				t.Fatalf("%+v, %v", v, err)
			}
			if v.SequenceHeader {
				headers++
				video, err = ParseVideoConfig(v.FourCC, tag.Payload[v.BodyOffset:])
			} else if !v.SequenceEnd {
				pictures++
			}
			if v.Keyframe {
				keys++
			}
			if err != nil {
				t.Fatal(err)
			}
		case TagAudio:
			a, err := ParseAudio(tag.Payload)
			if err == nil && a.SequenceHeader {
				headers++
				audio, err = ParseAudioConfig(a.FourCC, tag.Payload[a.BodyOffset:])
			}
			if err != nil || a.FourCC != AAC {
				t.Fatalf("%+v, %v", a, err)
			}
		}
	}
	if keys != 2 || pictures != 10 || headers != 2 {
		t.Errorf("%d key frames of %d pictures, %d headers", keys, pictures, headers)
	}
	if video.Width != 66 || video.Height != 38 || audio != (AudioConfig{"mp4a.40.2", 44100, 1}) {
		t.Errorf("%+v %+v", video, audio)
	}

	// What was read and written again is the same file, whatever the size of reads.
	var out bytes.Buffer
	w := NewWriter(&out)
	err = w.WriteHeader(true, true)
	slow, err2 := readAll(NewReader(iotest.OneByteReader(bytes.NewReader(b)), 0))
	for _, tag := range slow {
		err = errors.Join(err, w.WriteTag(tag.Type, tag.Timestamp, tag.Payload))
	}
	if err = errors.Join(err, err2); err != nil || !bytes.Equal(out.Bytes(), b) {
		t.Errorf("written again: %v, %d bytes of %d", err, out.Len(), len(b))
	}
}

func TestReaderTimestamps(t *testing.T) {
	b := AppendHeader(nil, true, false)
	stamps := []uint32{0, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}
	for _, ts := range stamps {
		b = AppendTag(b, TagAudio, ts, []byte{0xAF, 1, 0})
	}
	tags, err := readAll(NewReader(bytes.NewReader(b), 0))
	if err != nil || len(tags) != len(stamps) {
		t.Fatal(err, len(tags))
	}
	for i, tag := range tags {
		if tag.Timestamp != stamps[i] {
			t.Errorf("%#x, want %#x", tag.Timestamp, stamps[i])
		}
	}
}

func TestReaderHostile(t *testing.T) {
	head := AppendHeader(nil, true, true)
	tag := AppendTag(nil, TagVideo, 5, []byte{1, 2, 3})
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name   string
		in     []byte
		tags   int
		reason string // "" = a clean end
	}{
		{"nothing", nil, 0, ""},
		{"header only", head, 0, ""},
		{"header without a PreviousTagSize", head[:9], 0, ""},
		{"header cut", head[:8], 0, ReasonTruncated},
		{"an MP4", []byte("\x00\x00\x00\x20ftypisom"), 0, ReasonSignature},
		{"version 2", []byte("FLV\x02\x05\x00\x00\x00\x09"), 0, ReasonSignature},
		{"header of 4 GiB", []byte("FLV\x01\x05\xff\xff\xff\xff"), 0, ReasonSignature},
		{"header of 8 bytes", []byte("FLV\x01\x05\x00\x00\x00\x08"), 0, ReasonSignature},
		{"longer header", join([]byte("FLV\x01\x05\x00\x00\x00\x0bxx\x00\x00\x00\x00"), tag), 1, ""},
		{"longer header cut", []byte("FLV\x01\x05\x00\x00\x00\x0bx"), 0, ReasonTruncated},
		{"no last PreviousTagSize", join(head, tag[:len(tag)-4]), 1, ""},
		{"half a PreviousTagSize", join(head, tag[:len(tag)-2]), 1, ReasonTruncated},
		{"tag cut in its header", join(head, tag, tag[:6]), 1, ReasonTruncated},
		{"tag cut in its payload", join(head, tag, tag[:13]), 1, ReasonTruncated},
		{"16 MiB announced", join(head, []byte{9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1}), 0, ReasonTooLarge},
		{"8 MiB announced", join(head, []byte{9, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 0, ReasonTruncated},
		{"empty tag", join(head, AppendTag(nil, TagAudio, 0, nil), tag), 2, ""},
		{"wrong PreviousTagSize", join(head, tag[:len(tag)-4], []byte{9, 9, 9, 9}, tag), 2, ""},
		{"unknown type", join(head, AppendTag(nil, 31, 0, []byte{1})), 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(c.in), 0)
			var tags []Tag
			var err error
			if n := allocated(func() { tags, err = readAll(r) }); n > maxAlloc(len(c.in)) {
				t.Errorf("%d bytes allocated for %d", n, len(c.in))
			}
			checkReason(t, err, c.reason)
			if len(tags) != c.tags {
				t.Errorf("%d tags, want %d", len(tags), c.tags)
			}
			if c.reason == ReasonTruncated && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Error("a cut file must be io.ErrUnexpectedEOF")
			}
			if _, again := r.ReadTag(); again != err && !(err == nil && again == io.EOF) {
				t.Errorf("the error does not stay: %v", again)
			}
		})
	}
	r := NewReader(bytes.NewReader(join(head, tag[:len(tag)-4], []byte{9, 9, 9, 9}, tag)), 0)
	if _, err := readAll(r); err != nil || r.Mismatches() != 1 {
		t.Errorf("%d mismatches, %v", r.Mismatches(), err)
	}
	enc := AppendTag(nil, TagVideo|0x20, 0, nil)
	if tags, err := readAll(NewReader(bytes.NewReader(join(head, enc)), 0)); err != nil || !tags[0].Encrypted || tags[0].Type != TagVideo {
		t.Errorf("%+v, %v", tags, err)
	}
}

func TestReaderPassesErrors(t *testing.T) {
	want := errors.New("reset")
	r := NewReader(io.MultiReader(bytes.NewReader(AppendHeader(nil, true, true)), iotest.ErrReader(want)), 0)
	if _, err := r.ReadTag(); err != want {
		t.Errorf("got %v", err)
	}
	w := NewWriter(io.Discard)
	var e *Error
	if err := w.WriteTag(TagVideo, 0, make([]byte, MaxPayload+1)); !errors.As(err, &e) || e.Reason != ReasonTooLarge {
		t.Errorf("got %v", err)
	}
	if b := AppendTag(nil, TagVideo, 0, make([]byte, MaxPayload+1)); b != nil {
		t.Errorf("%d bytes", len(b))
	}
}
