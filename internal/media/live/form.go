package live

import (
	"weir/flv"
	"weir/rtmp"
)

// Form is the encoding of a log.
type Form uint8

const (
	// RTMP: chunks of ChunkSize, each message with a type 0 header (absolute
	// timestamp), message stream StreamID, the chunk stream of rtmp.DefaultChunkStream.
	RTMP Form = iota
	// FLV: tags with their PreviousTagSize, without the file header.
	FLV
	forms
)

// What every message in RTMP form carries. A play session announces ChunkSize
// with Set Chunk Size before the first byte of a log, and answers createStream
// with StreamID; feeds with other ids use PatchStreamID.
const (
	ChunkSize = rtmp.DefaultChunkSize
	StreamID  = 1
)

// size is the length of a message in this form.
func (f Form) size(m *rtmp.Message) int {
	if f == FLV {
		return len(flvPayload(m)) + flv.TagOverhead
	}
	return rtmp.MessageSize(len(m.Payload), m.Timestamp, ChunkSize)
}

// append encodes a message; it adds exactly size(m) bytes.
func (f Form) append(dst []byte, m *rtmp.Message) []byte {
	if f == FLV {
		typ := uint8(m.Type)
		if m.Type == rtmp.DataAMF3 {
			typ = flv.TagScript
		}
		return flv.AppendTag(dst, typ, m.Timestamp, flvPayload(m))
	}
	return rtmp.AppendMessage(dst, m, ChunkSize)
}

// flvPayload takes the format byte off AMF3 data messages: what follows it is
// AMF0, all that a script tag may hold.
func flvPayload(m *rtmp.Message) []byte {
	if m.Type == rtmp.DataAMF3 {
		return m.Payload[1:]
	}
	return m.Payload
}
