package rtmp

// chunkStream is what the reader must remember of one chunk stream: the header
// that compressed headers refer to, and the message in the making.
//
// Invariants: busy ⇒ arrived < length, or the message is being completed;
// !busy ⇒ arrived = 0 and buf = nil; buf = nil ⇔ arrived = 0.
type chunkStream struct {
	id        uint32
	streamID  uint32
	timestamp uint32 // absolute, of the message last begun
	delta     uint32 // timestamp field of the last header, for type 3 (§5.3.1.2.4)
	field     uint32 // extended timestamp as read, for the dialect probe
	length    int
	typ       MessageType
	ext       bool // the last header of type 0 to 2 had an extended timestamp
	busy      bool // a message has begun and is not whole

	arrived int
	buf     *buffer
}

// drop forgets the message in the making.
func (cs *chunkStream) drop() {
	cs.buf.release()
	cs.buf, cs.arrived, cs.busy = nil, 0, false
}

// dialect is how a peer writes type 3 chunks within a message that has an
// extended timestamp: the specification repeats it, old Flash clients and
// encoders do not. The first such chunk on a connection tells.
type dialect uint8

const (
	dialectUnknown dialect = iota
	dialectRepeats
	dialectBare
)
