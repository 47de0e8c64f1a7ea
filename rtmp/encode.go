package rtmp

import "encoding/binary"

const (
	type0Size = 12        // basic header of one byte + message header type 0
	extended  = 0xFFFFFF  // timestamp field that announces an extended one
	type3     = 0b11 << 6 // basic header bits of a continuation
)

// chunkStreamOf returns m's chunk stream if it has a one-byte id, else the
// default of its type.
func chunkStreamOf(m *Message) uint32 {
	if m.ChunkStream >= 2 && m.ChunkStream < 64 {
		return m.ChunkStream
	}
	return DefaultChunkStream(m.Type)
}

// AppendMessage appends m as chunks that need no state at either end: a type 0
// header with the absolute timestamp, then type 3 continuations that repeat an
// extended timestamp (RTMP 1.0 §5.3.1). m.ChunkStream must be 2 to 63;
// otherwise the default of m.Type is used. chunkSize must be positive.
func AppendMessage(dst []byte, m *Message, chunkSize int) []byte {
	id := byte(chunkStreamOf(m))
	n := len(m.Payload)
	field := min(m.Timestamp, extended)
	dst = append(dst, id,
		byte(field>>16), byte(field>>8), byte(field),
		byte(n>>16), byte(n>>8), byte(n), byte(m.Type),
		byte(m.StreamID), byte(m.StreamID>>8), byte(m.StreamID>>16), byte(m.StreamID>>24))
	if field == extended {
		dst = binary.BigEndian.AppendUint32(dst, m.Timestamp)
	}
	p := m.Payload
	for len(p) > chunkSize {
		dst = append(dst, p[:chunkSize]...)
		p = p[chunkSize:]
		dst = append(dst, type3|id)
		if field == extended {
			dst = binary.BigEndian.AppendUint32(dst, m.Timestamp)
		}
	}
	return append(dst, p...)
}

// MessageSize returns how many bytes [AppendMessage] appends.
func MessageSize(payloadLen int, timestamp uint32, chunkSize int) int {
	more := 0
	if payloadLen > 0 {
		more = (payloadLen - 1) / chunkSize
	}
	size := type0Size + payloadLen + more
	if timestamp >= extended {
		size += 4 * (1 + more)
	}
	return size
}
