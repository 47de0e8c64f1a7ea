package interop_test

import (
	"encoding/binary"
	"fmt"
	"os"
)

// tag is one tag of a recorded FLV file. The walker below is written apart from
// package flv: it judges what that package's users sent.
type tag struct {
	typ     byte // 8 audio, 9 video, 18 data
	ms      uint32
	payload []byte
}

// readTags reads the whole tags of a file that may still be written to, and
// returns the length of the file up to the end of the last whole one.
func readTags(path string) (tags []tag, whole int64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	if len(b) < 13 {
		return nil, 0, nil
	}
	if string(b[:3]) != "FLV" {
		return nil, 0, fmt.Errorf("%s: no FLV file: % x", path, b[:3])
	}
	at := 13
	for at+11 <= len(b) {
		size := int(b[at+1])<<16 | int(b[at+2])<<8 | int(b[at+3])
		if at+11+size+4 > len(b) {
			break
		}
		if got := binary.BigEndian.Uint32(b[at+11+size:]); got != uint32(11+size) {
			return nil, 0, fmt.Errorf("%s: offset %d: previous tag size %d, want %d", path, at, got, 11+size)
		}
		ms := uint32(b[at+4])<<16 | uint32(b[at+5])<<8 | uint32(b[at+6]) | uint32(b[at+7])<<24
		tags = append(tags, tag{b[at], ms, b[at+11 : at+11+size]})
		at += 11 + size + 4
	}
	return tags, int64(at), nil
}

// header reports whether the tag is a sequence header, key whether it is a key
// frame with pictures; legacy and enhanced.
func (t tag) header() bool {
	if len(t.payload) < 2 {
		return false
	}
	switch b := t.payload[0]; {
	case t.typ == 9 && b&0x80 != 0, t.typ == 8 && b>>4 == 9:
		return b&0x0f == 0 // SequenceStart
	case t.typ == 9 && b&0x0f == 7, t.typ == 8 && b>>4 == 10:
		return t.payload[1] == 0
	}
	return false
}

func (t tag) key() bool {
	return t.typ == 9 && len(t.payload) > 0 && t.payload[0]>>4&7 == 1 && !t.header() && !t.noPicture()
}

// ordered checks what any viewer may rely on: each track's header comes before its
// first frame, the first picture is a key frame, and decoding times rise strictly
// in each track.
func ordered(tags []tag) error {
	names := map[byte]string{8: "audio", 9: "video"}
	type state struct {
		header, started bool
		last            uint32
	}
	tracks := map[byte]*state{8: {}, 9: {}}
	for i, t := range tags {
		s := tracks[t.typ]
		if s == nil || len(t.payload) == 0 {
			continue
		}
		switch {
		case t.header():
			s.header = true
			continue
		case t.noPicture():
			continue
		case !s.header:
			return fmt.Errorf("tag %d: %s at %d ms before its sequence header", i, names[t.typ], t.ms)
		case t.typ == 9 && !s.started && !t.key():
			return fmt.Errorf("tag %d: the first picture, at %d ms, is no key frame", i, t.ms)
		case s.started && int32(t.ms-s.last) <= 0:
			return fmt.Errorf("tag %d: %s at %d ms after %d ms", i, names[t.typ], t.ms, s.last)
		}
		s.started, s.last = true, t.ms
	}
	if !tracks[8].started && !tracks[9].started {
		return fmt.Errorf("no media in %d tags", len(tags))
	}
	return nil
}

// noPicture reports whether the tag, though video, is no picture: the end of the
// sequence, which ffmpeg sends with the time of the last picture, or the metadata
// packet (colours) of enhanced RTMP, which FFmpeg 7 sends with that of the next.
func (t tag) noPicture() bool {
	if t.typ != 9 || len(t.payload) < 2 {
		return false
	}
	if kind := t.payload[0] & 0x0f; t.payload[0]&0x80 != 0 {
		return kind == 2 || kind == 4
	}
	return t.payload[0]&0x0f == 7 && t.payload[1] == 2
}

// span returns how much media the tags hold, in milliseconds.
func span(tags []tag) float64 {
	var first, last uint32
	n := 0
	for _, t := range tags {
		if t.typ != 8 && t.typ != 9 || t.header() || t.noPicture() {
			continue
		}
		if n == 0 {
			first = t.ms
		}
		last = t.ms
		n++
	}
	return float64(int32(last - first))
}
