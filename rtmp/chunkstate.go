package rtmp

// ChunkState is what a reader remembers of one chunk stream: what the next
// compressed header on it refers to (RTMP 1.0 §5.3.1.2). Two readers with the same
// states understand the same bytes.
type ChunkState struct {
	ID        uint32
	StreamID  uint32
	Timestamp uint32 // absolute, of the last message
	Delta     uint32 // of the last header; after type 0 the timestamp
	Length    int
	Type      MessageType
	Extended  bool // the last header had an extended timestamp
}

// ChunkStates returns the state of every chunk stream that has been used, in the
// order of first use.
func (d *Decoder) ChunkStates() []ChunkState {
	all := make([]ChunkState, 0, len(d.streams))
	for _, cs := range d.streams {
		all = append(all, ChunkState{ID: cs.id, StreamID: cs.streamID, Timestamp: cs.timestamp, Delta: cs.delta,
			Length: cs.length, Type: cs.typ, Extended: cs.ext})
	}
	return all
}
