package relay

import (
	"bytes"
	"sync"

	"weir/internal/media/live"
	"weir/rtmp"
)

// batch is what a push sends in one write: the log's own memory if that is one piece that can go
// as it is, which is nearly always, else a copy.
type batch struct {
	bytes    []byte
	messages int
	copied   *[]byte // from batches; nil: bytes are shared
}

// batches are shared: a push that has nothing to send keeps nothing for it.
var batches = sync.Pool{New: func() any { return new([]byte) }}

// next takes from the cursor what the server is to be sent next; nothing if there is nothing.
func (p *Push) next(cur *live.Cursor) (out batch, err error) {
	for len(out.bytes) < maxPushWrite {
		b := cur.Peek(maxPushWrite - len(out.bytes))
		if len(b) == 0 {
			break
		}
		n := len(b)
		messages, metadata, err := look(b)
		if err == nil && metadata && p.stranger {
			b, err = setDataFrames(b)
		}
		if err == nil && (p.id != live.StreamID || len(out.bytes) > 0) {
			// Two writes cost more than to copy what goes into one.
			b, err = out.join(b, p.id)
		}
		if err != nil {
			out.done()
			return batch{}, err
		}
		out.bytes = b
		out.messages += messages
		cur.Advance(n)
	}
	return out, nil
}

// append puts a message behind that is no media.
func (out *batch) append(b []byte) {
	if len(b) > 0 {
		out.bytes, _ = out.join(b, live.StreamID) // as it is
	}
}

// join returns what out has and b behind it, in the form that goes on the wire.
func (out *batch) join(b []byte, id uint32) ([]byte, error) {
	if out.copied == nil {
		out.copied = batches.Get().(*[]byte)
		*out.copied = append((*out.copied)[:0], out.bytes...)
	}
	if id == live.StreamID {
		*out.copied = append(*out.copied, b...)
		return *out.copied, nil
	}
	joined, err := live.PatchStreamID(*out.copied, b, id)
	*out.copied = joined
	return joined, err
}

// done gives the memory back.
func (out *batch) done() {
	if out.copied != nil {
		batches.Put(out.copied)
	}
	*out = batch{}
}

// look counts messages in RTMP form, and says whether metadata is among them.
func look(b []byte) (messages int, metadata bool, err error) {
	for len(b) > 0 {
		m, size, err := live.NextMessage(b)
		if err != nil {
			return 0, false, err
		}
		metadata = metadata || m.Type == rtmp.DataAMF0 && bytes.HasPrefix(m.Payload(), metadataName)
		messages++
		b = b[size:]
	}
	return messages, metadata, nil
}
