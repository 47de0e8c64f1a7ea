package rtmp

// UserControlType is the event type of a user control message (§7.1.7).
type UserControlType uint16

// The user control events.
const (
	StreamBegin      UserControlType = 0
	StreamEOF        UserControlType = 1
	StreamDry        UserControlType = 2
	SetBufferLength  UserControlType = 3
	StreamIsRecorded UserControlType = 4
	PingRequest      UserControlType = 6
	PingResponse     UserControlType = 7
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

func ParseControl(m *Message) (Control, error) { return Control{}, nil }

func AppendSetChunkSize(dst []byte, size uint32) []byte                    { return dst }
func AppendAbort(dst []byte, chunkStream uint32) []byte                    { return dst }
func AppendAck(dst []byte, sequence uint32) []byte                         { return dst }
func AppendWindowAckSize(dst []byte, window uint32) []byte                 { return dst }
func AppendSetPeerBandwidth(dst []byte, window uint32, limit uint8) []byte { return dst }

// AppendUserControl appends a user control message: the event, its 4-byte value
// (stream id, or a ping's timestamp) and for SetBufferLength the buffer.
func AppendUserControl(dst []byte, event UserControlType, value uint32, more ...uint32) []byte {
	return dst
}
