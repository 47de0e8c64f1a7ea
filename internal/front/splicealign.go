package front

import (
	"errors"
	"fmt"
	"slices"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// alignError is why a session is carried that was to be spliced; it is errCarry.
type alignError struct {
	reason event.Reason
	err    error
}

func notSpliced(r event.Reason, err error) error { return &alignError{r, err} }

func (e *alignError) Error() string {
	if e.err == nil {
		return string(e.reason)
	}
	return fmt.Sprintf("%s: %v", e.reason, e.err)
}

// carryReason is why err is errCarry.
func carryReason(err error) (event.Reason, error) {
	var e *alignError
	if errors.As(err, &e) {
		return e.reason, e.err
	}
	return event.InternalFault, err
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
		return nil, notSpliced(event.ChunkState, err)
	}
	server, err := decodeAll(swallowed)
	if err != nil {
		return nil, notSpliced(event.ChunkState, err)
	}
	var sync []byte
	if !server.sized && client.chunkSize != server.chunkSize {
		sync = rtmp.AppendSetChunkSize(nil, uint32(server.chunkSize))
	}
	for i := range server.asked { // which fit any chunk size
		if m := &server.asked[i]; m.Type == rtmp.SetChunkSize && client.chunkSize == server.chunkSize {
			continue
		}
		sync = rtmp.AppendMessage(sync, &server.asked[i], server.chunkSize)
	}
	if err := client.hear(sync); err != nil {
		return nil, notSpliced(event.ChunkState, err)
	}
	for _, want := range server.d.ChunkStates() {
		if client.has(want) {
			continue
		}
		last := server.last[want.ID]
		if want.ID >= 64 || !last.Type.IsCommand() && !last.Type.IsControl() {
			return nil, notSpliced(event.ChunkState, fmt.Errorf("chunk stream %d was used for %v", want.ID, last.Type))
		}
		more := rtmp.AppendMessage(nil, last, server.chunkSize)
		if err := client.hear(more); err != nil {
			return nil, notSpliced(event.ChunkState, err)
		}
		if !client.has(want) {
			return nil, notSpliced(event.ChunkState, fmt.Errorf("chunk stream %d was left at a time of %d and a difference of %d", want.ID, want.Timestamp, want.Delta))
		}
		sync = append(sync, more...)
	}
	if off := len(told) + len(sync) - len(swallowed); server.window > 0 && abs(off) > server.window/4 {
		return nil, notSpliced(event.AckWindow, fmt.Errorf("%d bytes of a window of %d", off, server.window))
	}
	return sync, nil
}

// echoes refuses a publisher that answers each change of the chunk size with one of
// its own, as FFmpeg does, if it would now make its chunks smaller: that comes with
// media behind it, which nginx-rtmp then moves into buffers that are too small for it, and
// loses its place.
func echoes(w *script, told, swallowed []byte) error {
	client, err := decodeAll(told)
	if err != nil {
		return notSpliced(event.ChunkState, err)
	}
	server, err := decodeAll(swallowed)
	if err != nil {
		return notSpliced(event.ChunkState, err)
	}
	if w.publish && w.chunkSize == client.chunkSize && server.chunkSize < client.chunkSize {
		return notSpliced(event.ChunkEcho, fmt.Errorf("from %d to %d", client.chunkSize, server.chunkSize))
	}
	return nil
}

func abs(n int) int { return max(n, -n) }

// heard is what one side knows after so many bytes.
type heard struct {
	d         *rtmp.Decoder
	chunkSize int
	window    int                      // that it is to acknowledge by; 0: none
	sized     bool                     // the chunk size was set
	asked     []rtmp.Message           // windows and events, in order, and the last chunk size
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
			h.chunkSize, h.sized = h.d.ChunkSize(), true
			h.asked = slices.DeleteFunc(h.asked, func(m rtmp.Message) bool { return m.Type == rtmp.SetChunkSize })
			h.asked = append(h.asked, kept)
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
