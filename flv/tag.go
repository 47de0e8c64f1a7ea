package flv

import "encoding/binary"

// Tag types; they equal the RTMP message types.
const (
	TagAudio  uint8 = 8
	TagVideo  uint8 = 9
	TagScript uint8 = 18
)

const (
	// HeaderSize is the length of the file header with the first (zero)
	// PreviousTagSize, in bytes.
	HeaderSize = 13
	// TagHeaderSize is the length of the header of a tag, in bytes.
	TagHeaderSize = 11
	// TagOverhead is what AppendTag adds to a payload: header and PreviousTagSize.
	TagOverhead = TagHeaderSize + 4
	// MaxPayload is the longest payload that a tag can state: 24 bits.
	MaxPayload = 1<<24 - 1
)

// Tag is one tag of a file.
type Tag struct {
	Type      uint8
	Encrypted bool   // the filter bit: the payload is not what Type says
	Timestamp uint32 // ms, all 32 bits
	Payload   []byte
}

// AppendHeader appends the header of a file and the PreviousTagSize after it.
// Players believe the two flags: one that announces video may wait for it.
func AppendHeader(dst []byte, audio, video bool) []byte {
	var flags byte
	if audio {
		flags |= 4
	}
	if video {
		flags |= 1
	}
	return append(dst, 'F', 'L', 'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0)
}

// AppendTagHeader appends the 11 bytes before a payload of the given size, which is
// at most MaxPayload.
func AppendTagHeader(dst []byte, typ uint8, ts uint32, size int) []byte {
	n := uint32(size)
	return append(dst, typ,
		byte(n>>16), byte(n>>8), byte(n),
		byte(ts>>16), byte(ts>>8), byte(ts), byte(ts>>24),
		0, 0, 0)
}

// AppendTag appends a whole tag: header, payload, PreviousTagSize. A payload
// over MaxPayload has no form as a tag: nothing is appended.
func AppendTag(dst []byte, typ uint8, ts uint32, payload []byte) []byte {
	if len(payload) > MaxPayload {
		return dst
	}
	dst = AppendTagHeader(dst, typ, ts, len(payload))
	dst = append(dst, payload...)
	return binary.BigEndian.AppendUint32(dst, uint32(TagHeaderSize+len(payload)))
}
