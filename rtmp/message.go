package rtmp

import "strconv"

// MessageType is the message type id of RTMP 1.0 §5.4, §6.2 and §7.1.
type MessageType uint8

// The message types. 1 to 6 are protocol control (§5.4), the rest §7.1.
const (
	SetChunkSize     MessageType = 1
	Abort            MessageType = 2
	Ack              MessageType = 3
	UserControl      MessageType = 4
	WindowAckSize    MessageType = 5
	SetPeerBandwidth MessageType = 6
	Audio            MessageType = 8
	Video            MessageType = 9
	DataAMF3         MessageType = 15
	SharedObjectAMF3 MessageType = 16
	CommandAMF3      MessageType = 17
	DataAMF0         MessageType = 18
	SharedObjectAMF0 MessageType = 19
	CommandAMF0      MessageType = 20
	Aggregate        MessageType = 22
)

var typeNames = [...]string{
	SetChunkSize: "SetChunkSize", Abort: "Abort", Ack: "Ack", UserControl: "UserControl",
	WindowAckSize: "WindowAckSize", SetPeerBandwidth: "SetPeerBandwidth", Audio: "Audio", Video: "Video",
	DataAMF3: "DataAMF3", SharedObjectAMF3: "SharedObjectAMF3", CommandAMF3: "CommandAMF3",
	DataAMF0: "DataAMF0", SharedObjectAMF0: "SharedObjectAMF0", CommandAMF0: "CommandAMF0", Aggregate: "Aggregate",
}

// String returns the constant's name, or "type N" for an unknown type.
func (t MessageType) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// IsControl reports whether t is a protocol control message (types 1 to 6),
// which concerns the connection and not a stream on it.
func (t MessageType) IsControl() bool { return t >= SetChunkSize && t <= SetPeerBandwidth }

// IsCommand reports whether t carries a remote call.
func (t MessageType) IsCommand() bool { return t == CommandAMF0 || t == CommandAMF3 }

// IsMedia reports whether t is what a publisher sends to its viewers: audio,
// video or data. An aggregate is split before anybody asks.
func (t MessageType) IsMedia() bool {
	return t == Audio || t == Video || t == DataAMF0 || t == DataAMF3
}

// Message is one RTMP message, whole.
type Message struct {
	Type MessageType
	// StreamID is the message stream: 0 for the connection, else a NetStream.
	StreamID uint32
	// ChunkStream is the chunk stream that carried the message, or shall carry
	// it. Zero lets the sender choose by type ([DefaultChunkStream]).
	ChunkStream uint32
	// Timestamp is absolute, in milliseconds, modulo 2^32.
	Timestamp uint32
	// Payload is valid until the next read of the Decoder or Conn that returned
	// the message. It may share memory with the bytes given to Decode.
	Payload []byte
	// More says of a message that a Conn returned: more bytes were read with it. Who passes
	// messages on may wait for those, and send all together. It is not on the wire.
	More bool
}

// DefaultChunkStream returns the chunk stream on which this package sends a
// message type when the caller names none. The numbers are what common peers
// use: 2 is prescribed for control, the others are habit.
func DefaultChunkStream(t MessageType) uint32 {
	switch {
	case t.IsControl():
		return 2
	case t == Audio:
		return 4
	case t == DataAMF0 || t == DataAMF3:
		return 5
	case t == Video || t == Aggregate:
		return 6
	}
	return 3
}
