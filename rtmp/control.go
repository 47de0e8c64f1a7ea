package rtmp

import (
	"encoding/binary"
	"fmt"
)

// UserControlType is the event type of a user control message (§7.1.7).
type UserControlType uint16

// The user control events. Others exist (31 and 32 tell that a buffer is empty
// or ready, 26 and 27 verify a SWF) and are passed on with their first value.
const (
	StreamBegin      UserControlType = 0
	StreamEOF        UserControlType = 1
	StreamDry        UserControlType = 2
	SetBufferLength  UserControlType = 3
	StreamIsRecorded UserControlType = 4
	PingRequest      UserControlType = 6
	PingResponse     UserControlType = 7
)

// The limit types of Set Peer Bandwidth (§5.4.5).
const (
	LimitHard    = 0
	LimitSoft    = 1
	LimitDynamic = 2
)

// Control is a protocol control message (types 1 to 6), parsed.
type Control struct {
	Type MessageType
	// Value is the chunk size, the chunk stream to abort, the sequence number,
	// or the window; for user control the stream id or the ping's timestamp.
	Value uint32
	// Limit is Set Peer Bandwidth's limit type: 0 hard, 1 soft, 2 dynamic.
	Limit uint8
	// Event is the user control event.
	Event UserControlType
	// Buffer is SetBufferLength's length, in milliseconds.
	Buffer uint32
}

// ParseControl reads a message of type 1 to 6. It checks lengths, not values;
// bytes beyond the fields are ignored, for some peers pad. The error is an
// [*Error] with ReasonShortControl.
func ParseControl(m *Message) (Control, error) {
	c := Control{Type: m.Type}
	p := m.Payload
	need := 4
	switch m.Type {
	case SetPeerBandwidth:
		need = 5
	case UserControl:
		need = 2
		if len(p) >= need {
			c.Event = UserControlType(binary.BigEndian.Uint16(p))
			p = p[2:]
			need = c.Event.size()
		}
	}
	if !m.Type.IsControl() {
		return c, &Error{Reason: ReasonShortControl, Type: m.Type, Err: fmt.Errorf("not a control message")}
	}
	if len(p) < need {
		return c, &Error{Reason: ReasonShortControl, Type: m.Type, Err: fmt.Errorf("%d bytes", len(m.Payload))}
	}
	if len(p) >= 4 {
		c.Value = binary.BigEndian.Uint32(p)
	}
	switch {
	case m.Type == SetPeerBandwidth:
		c.Limit = p[4]
	case m.Type == UserControl && c.Event == SetBufferLength:
		c.Buffer = binary.BigEndian.Uint32(p[4:])
	}
	return c, nil
}

// size returns the bytes that an event must have after its type. An unknown
// event may have none.
func (e UserControlType) size() int {
	switch e {
	case StreamBegin, StreamEOF, StreamDry, StreamIsRecorded, PingRequest, PingResponse:
		return 4
	case SetBufferLength:
		return 8
	}
	return 0
}

// appendControl appends the chunk of a control message: type 0, chunk stream 2,
// message stream 0, timestamp 0. It fits any outbound chunk size.
func appendControl(dst []byte, t MessageType, size int) []byte {
	return append(dst, 2, 0, 0, 0, 0, 0, byte(size), byte(t), 0, 0, 0, 0)
}

func appendControl32(dst []byte, t MessageType, v uint32) []byte {
	return binary.BigEndian.AppendUint32(appendControl(dst, t, 4), v)
}

// AppendSetChunkSize appends the whole message, ready for the wire, as do the
// other appenders here. The new size holds for what follows it.
func AppendSetChunkSize(dst []byte, size uint32) []byte {
	return appendControl32(dst, SetChunkSize, size)
}

// AppendAbort tells the peer to drop the partial message of a chunk stream.
func AppendAbort(dst []byte, chunkStream uint32) []byte {
	return appendControl32(dst, Abort, chunkStream)
}

// AppendAck acknowledges all bytes up to sequence, modulo 2^32.
func AppendAck(dst []byte, sequence uint32) []byte { return appendControl32(dst, Ack, sequence) }

// AppendWindowAckSize asks the peer to acknowledge every window bytes.
func AppendWindowAckSize(dst []byte, window uint32) []byte {
	return appendControl32(dst, WindowAckSize, window)
}

// AppendSetPeerBandwidth asks the peer to send no more than window bytes
// unacknowledged. limit is LimitHard, LimitSoft or LimitDynamic.
func AppendSetPeerBandwidth(dst []byte, window uint32, limit uint8) []byte {
	dst = appendControl(dst, SetPeerBandwidth, 5)
	return append(binary.BigEndian.AppendUint32(dst, window), limit)
}

// AppendUserControl appends a user control message: the event, its 4-byte value
// (a stream id, or a ping's timestamp) and, for SetBufferLength, the buffer in
// milliseconds.
func AppendUserControl(dst []byte, event UserControlType, value uint32, more ...uint32) []byte {
	dst = appendControl(dst, UserControl, 6+4*len(more))
	dst = binary.BigEndian.AppendUint16(dst, uint16(event))
	dst = binary.BigEndian.AppendUint32(dst, value)
	for _, v := range more {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return dst
}
