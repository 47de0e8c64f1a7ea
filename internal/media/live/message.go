package live

import (
	"encoding/binary"

	"weir/rtmp"
)

// Message is one message in RTMP form, read in place.
type Message struct {
	Type      rtmp.MessageType
	StreamID  uint32
	Timestamp uint32 // ms modulo 2^32
	Length    int    // of the payload

	id   byte   // basic header
	body []byte // payload with the headers of its continuation chunks
}

const (
	rtmpHeader   = 12
	rtmpExtended = 0xFFFFFF
)

// NextMessage reads the message at the front of b, which a Cursor in RTMP form
// has returned, and says how long it is.
func NextMessage(b []byte) (m Message, size int, err error) {
	if len(b) < rtmpHeader || b[0] < 2 || b[0] > 63 {
		return m, 0, ErrMessage
	}
	m = Message{
		id:        b[0],
		Timestamp: be24(b[1:]),
		Length:    int(be24(b[4:])),
		Type:      rtmp.MessageType(b[7]),
		StreamID:  binary.LittleEndian.Uint32(b[8:]),
	}
	head := rtmpHeader
	if m.Timestamp == rtmpExtended {
		if len(b) < head+4 {
			return m, 0, ErrMessage
		}
		m.Timestamp = binary.BigEndian.Uint32(b[head:])
		head += 4
	}
	size = rtmp.MessageSize(m.Length, m.Timestamp, ChunkSize)
	if len(b) < size {
		return m, 0, ErrMessage
	}
	m.body = b[head:size:size]
	return m, size, nil
}

func be24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// Payload returns the payload: in place if it is a single chunk, else a copy.
func (m *Message) Payload() []byte {
	if m.Length <= ChunkSize {
		return m.body[:m.Length:m.Length]
	}
	return m.AppendPayload(make([]byte, 0, m.Length))
}

// AppendPayload appends the payload.
func (m *Message) AppendPayload(dst []byte) []byte {
	again := 1
	if m.Timestamp >= rtmpExtended {
		again += 4
	}
	b := m.body
	for len(b) > ChunkSize {
		dst = append(dst, b[:ChunkSize]...)
		b = b[ChunkSize+again:]
	}
	return append(dst, b...)
}

// PatchStreamID appends b, whole messages in RTMP form, with another message
// stream id: for feeds that carry many streams on one connection.
func PatchStreamID(dst, b []byte, id uint32) ([]byte, error) {
	from := len(dst)
	dst = append(dst, b...)
	for rest := dst[from:]; len(rest) > 0; {
		_, size, err := NextMessage(rest)
		if err != nil {
			return dst[:from], err
		}
		binary.LittleEndian.PutUint32(rest[8:], id)
		rest = rest[size:]
	}
	return dst, nil
}
