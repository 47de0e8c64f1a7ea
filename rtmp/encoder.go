package rtmp

import "encoding/binary"

// Encoder writes messages with compressed headers: for each it picks the
// shortest of the four header types (RTMP 1.0 §5.3.1.2) that every known reader
// understands alike. Servers of many viewers want [AppendMessage] instead, whose
// output is the same for all of them.
//
// An Encoder belongs to one goroutine; its output must reach the peer whole and
// in order.
type Encoder struct {
	// BareType3 leaves the extended timestamp out of continuations, as old
	// Flash clients do. The specification repeats it.
	BareType3 bool

	chunkSize int
	sent      map[uint32]*sentHeader
}

// sentHeader is what the peer remembers of a chunk stream.
type sentHeader struct {
	streamID, timestamp uint32
	delta               uint32
	deltaKnown          bool // by a header of type 1 or 2
	length              int
	typ                 MessageType
}

// NewEncoder returns an Encoder for a fresh connection, whose chunk size is 128.
func NewEncoder() *Encoder {
	return &Encoder{chunkSize: DefaultInChunkSize, sent: map[uint32]*sentHeader{}}
}

// SetChunkSize appends a Set Chunk Size message and obeys it. n is 1 to
// MaxChunkSize.
func (e *Encoder) SetChunkSize(dst []byte, n int) []byte {
	n = min(max(n, 1), MaxChunkSize)
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(n))
	dst = e.Append(dst, &Message{Type: SetChunkSize, ChunkStream: 2, Payload: size[:]})
	e.chunkSize = n
	return dst
}

// Append appends m on m.ChunkStream, 2 to 65,599; 0 means the default of its
// type.
func (e *Encoder) Append(dst []byte, m *Message) []byte {
	id := m.ChunkStream
	if id < 2 || id > 65_599 {
		id = DefaultChunkStream(m.Type)
	}
	dst, ext := e.appendHeader(dst, m, id)
	p := m.Payload
	for len(p) > e.chunkSize {
		dst = append(dst, p[:e.chunkSize]...)
		p = p[e.chunkSize:]
		dst = e.appendContinuation(dst, m, id, ext)
	}
	return append(dst, p...)
}

// appendHeader appends the header of m's first chunk, and says whether it has an
// extended timestamp.
func (e *Encoder) appendHeader(dst []byte, m *Message, id uint32) ([]byte, bool) {
	prev := e.sent[id]
	kind := byte(0)
	value := m.Timestamp
	if prev == nil {
		prev = &sentHeader{}
		e.sent[id] = prev
	} else if delta := m.Timestamp - prev.timestamp; prev.streamID == m.StreamID && delta < extended {
		// A delta that needs an extended field is left to type 0: readers do
		// not agree on what a compressed header then repeats.
		value = delta
		switch same := prev.length == len(m.Payload) && prev.typ == m.Type; {
		case same && prev.deltaKnown && prev.delta == delta:
			// Never right after type 0: the specification takes that timestamp
			// for the delta, nginx-rtmp takes 0.
			kind = 3
		case same:
			kind = 2
		default:
			kind = 1
		}
	}
	*prev = sentHeader{m.StreamID, m.Timestamp, value, kind != 0, len(m.Payload), m.Type}

	dst = appendBasicHeader(dst, kind, id)
	field := min(value, extended)
	n := len(m.Payload)
	if kind < 3 {
		dst = append(dst, byte(field>>16), byte(field>>8), byte(field))
	}
	if kind < 2 {
		dst = append(dst, byte(n>>16), byte(n>>8), byte(n), byte(m.Type))
	}
	if kind < 1 {
		dst = binary.LittleEndian.AppendUint32(dst, m.StreamID)
	}
	if field == extended {
		dst = binary.BigEndian.AppendUint32(dst, value)
	}
	return dst, field == extended
}

// appendContinuation appends the header of a later chunk of m.
func (e *Encoder) appendContinuation(dst []byte, m *Message, id uint32, ext bool) []byte {
	dst = appendBasicHeader(dst, 3, id)
	if ext && !e.BareType3 {
		dst = binary.BigEndian.AppendUint32(dst, m.Timestamp)
	}
	return dst
}

// appendBasicHeader appends header type and chunk stream id in one, two or three
// bytes (§5.3.1.1).
func appendBasicHeader(dst []byte, kind byte, id uint32) []byte {
	switch kind <<= 6; {
	case id < 64:
		return append(dst, kind|byte(id))
	case id < 320:
		return append(dst, kind, byte(id-64))
	}
	id -= 64
	return append(dst, kind|1, byte(id), byte(id>>8))
}
