package front

import (
	"fmt"

	"weir/rtmp"
)

// notSplicedReason is why a session is carried that was to be spliced.
type notSplicedReason string

const (
	notPlainTCP   notSplicedReason = "not-plain-tcp"  // TLS, or no TCP connection at all
	notAlone      notSplicedReason = "not-alone"      // other message streams on the connection
	unrepeatable  notSplicedReason = "unrepeatable"   // the client's words cannot be said again
	streamIDs     notSplicedReason = "stream-id"      // the server's message stream has another id
	midMessage    notSplicedReason = "mid-message"    // no boundary where the server answers createStream
	chunkStreams  notSplicedReason = "chunk-stream"   // a chunk stream's state cannot be given to the client
	ackWindow     notSplicedReason = "ack-window"     // the byte counts differ by too much of the window
	noDescriptors notSplicedReason = "no-descriptors" // of the system
)

// alignError is the reason as an error; it is errCarry.
type alignError struct {
	reason notSplicedReason
	err    error
}

func notSpliced(r notSplicedReason, err error) error { return &alignError{r, err} }

func (e *alignError) Error() string {
	if e.err == nil {
		return string(e.reason)
	}
	return fmt.Sprintf("%s: %v", e.reason, e.err)
}

func (e *alignError) Is(target error) bool { return target == errCarry }
func (e *alignError) Unwrap() error        { return e.err }

// align returns what has to be said to a client, which has been told told, so that it
// understands what a server says next as one does that was told swallowed: chunk
// size, windows, and what compressed headers refer to, which is the last message of each
// chunk stream.
//
// What the server has asked of the connection is passed on in its order: it concerns
// the client now. Where that leaves another state, the last message of the chunk
// stream is said again: an answer to what was answered before, which clients ignore.
//
// The other direction needs nothing: the server has been told the client's own bytes.
// The acknowledgements that the client will send count what it was told here
// instead of what was swallowed; the difference must be small against the window.
func align(told, swallowed []byte) ([]byte, error) {
	client, err := decodeAll(told)
	if err != nil {
		return nil, notSpliced(chunkStreams, err)
	}
	server, err := decodeAll(swallowed)
	if err != nil {
		return nil, notSpliced(chunkStreams, err)
	}
	// At once and at the client's chunk size; what follows is in the server's.
	sync := rtmp.AppendSetChunkSize(nil, uint32(server.chunkSize))
	for i := range server.asked {
		sync = rtmp.AppendMessage(sync, &server.asked[i], server.chunkSize)
	}
	if err := client.hear(sync); err != nil {
		return nil, notSpliced(chunkStreams, err)
	}
	for _, want := range server.d.ChunkStates() {
		if client.has(want) {
			continue
		}
		last := server.last[want.ID]
		if want.ID >= 64 || !last.Type.IsCommand() && !last.Type.IsControl() {
			return nil, notSpliced(chunkStreams, fmt.Errorf("chunk stream %d was used for %v", want.ID, last.Type))
		}
		more := rtmp.AppendMessage(nil, last, server.chunkSize)
		if err := client.hear(more); err != nil {
			return nil, notSpliced(chunkStreams, err)
		}
		if !client.has(want) {
			return nil, notSpliced(chunkStreams, fmt.Errorf("chunk stream %d was left at a time of %d and a difference of %d", want.ID, want.Timestamp, want.Delta))
		}
		sync = append(sync, more...)
	}
	if off := len(told) + len(sync) - len(swallowed); server.window > 0 && abs(off) > server.window/4 {
		return nil, notSpliced(ackWindow, fmt.Errorf("%d bytes of a window of %d", off, server.window))
	}
	return sync, nil
}

func abs(n int) int { return max(n, -n) }

// heard is what one side knows after so many bytes.
type heard struct {
	d         *rtmp.Decoder
	chunkSize int
	window    int                      // that it is to acknowledge by; 0: none
	asked     []rtmp.Message           // windows and events, in order
	last      map[uint32]*rtmp.Message // of each chunk stream
}

func decodeAll(p []byte) (*heard, error) {
	h := &heard{d: rtmp.NewDecoder(rtmp.Limits{}), chunkSize: rtmp.DefaultInChunkSize, last: map[uint32]*rtmp.Message{}}
	return h, h.hear(p)
}

// hear takes whole messages.
func (h *heard) hear(p []byte) error {
	for len(p) > 0 {
		n, m, err := h.d.Decode(p)
		p = p[n:]
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		kept := *m
		kept.Payload = append([]byte(nil), m.Payload...)
		h.last[m.ChunkStream] = &kept
		if !m.Type.IsControl() {
			continue
		}
		c, err := rtmp.ParseControl(m)
		if err != nil {
			return err
		}
		switch m.Type {
		case rtmp.SetChunkSize:
			h.chunkSize = h.d.ChunkSize()
		case rtmp.WindowAckSize:
			h.window = int(c.Value)
			h.asked = append(h.asked, kept)
		case rtmp.SetPeerBandwidth, rtmp.UserControl:
			h.asked = append(h.asked, kept)
		}
	}
	if h.d.MidMessage() {
		return fmt.Errorf("it ends within a message")
	}
	return nil
}

// has reports whether a chunk stream is in that state here.
func (h *heard) has(want rtmp.ChunkState) bool {
	for _, s := range h.d.ChunkStates() {
		if s.ID == want.ID {
			return s == want
		}
	}
	return false
}
