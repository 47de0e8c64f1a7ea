package rtmp

import (
	"encoding/binary"
	"errors"
)

// Decoder turns the bytes of a chunk stream into messages (RTMP 1.0 §5.3). It
// does no I/O and knows no clock: bytes are pushed in, in pieces of any size,
// and messages come out; the pieces make no difference. It obeys Set Chunk Size
// and Abort itself, and returns them too.
//
// Memory: a message that lies whole in one chunk and in one piece is returned in
// place. Any other is gathered in a borrowed buffer that grows with the bytes
// that arrive, never with the length announced. At any time a Decoder holds at
// most 64 KiB a chunk stream and twice [PartialMessages] messages.
//
// A Decoder belongs to one goroutine. After an error it stays broken.
type Decoder struct {
	lim Limits
	max int // message limit in force; ≤ lim.Message

	chunkSize int
	streams   []*chunkStream
	last      *chunkStream // the one found last
	partial   int          // sum of arrived over streams
	credit    int          // chunk work left, in bytes of payload; see ChunkWork
	dialect   dialect

	// The chunk being read. cur = nil: its header, of which hdr[:hn] is here.
	cur  *chunkStream
	left int // payload bytes missing in cur's chunk
	hdr  [maxHeader]byte
	hn   int
	back []byte // bytes of hdr that turned out to be payload, to be read again

	msg    Message
	done   *buffer // payload of msg, ours until the next call
	offset int64
	err    error
}

// maxHeader is the longest chunk header: basic 3, message 11, extended 4.
const maxHeader = 18

var errTopBit = errors.New("top bit set")

// NewDecoder returns a Decoder at the start of a chunk stream, right after the
// handshake. Its message limit is lim.Message; see [Decoder.SetMaxMessage].
func NewDecoder(lim Limits) *Decoder {
	lim = lim.withDefaults()
	return &Decoder{
		lim: lim, max: lim.Message, chunkSize: DefaultInChunkSize,
		credit: lim.ChunkWork * ChunkWorkBytes,
	}
}

// SetMaxMessage sets the limit for messages that begin from now on, in bytes:
// at most Limits.Message, which any n ≤ 0 means.
func (d *Decoder) SetMaxMessage(n int) {
	if n <= 0 {
		n = d.lim.Message
	}
	d.max = min(n, d.lim.Message)
}

// Grant refills the work budget by n chunks, up to its start value. A caller
// with a clock grants [ChunkWorkPerSecond].
func (d *Decoder) Grant(n int) {
	full := d.lim.ChunkWork
	d.credit = min(d.credit+min(n, full)*ChunkWorkBytes, full*ChunkWorkBytes)
}

// strained reports whether a Grant is worth a look at the clock.
func (d *Decoder) strained() bool { return d.credit < d.lim.ChunkWork*ChunkWorkBytes/2 }

// ChunkSize returns the peer's chunk size in force, clamped to Limits.Message.
func (d *Decoder) ChunkSize() int { return d.chunkSize }

// Offset returns how many bytes have been consumed, of headers and payloads.
func (d *Decoder) Offset() int64 { return d.offset }

// Partial returns how many payload bytes of unfinished messages are held.
func (d *Decoder) Partial() int { return d.partial }

// MidMessage reports whether the stream ends badly if it ends here: within a
// header or a message.
func (d *Decoder) MidMessage() bool {
	if d.cur != nil || d.hn > 0 {
		return true
	}
	for _, cs := range d.streams {
		if cs.busy {
			return true
		}
	}
	return false
}

// Trim gives back the buffer of the message returned last, which is invalid from
// here on. Decode does so too; Trim is for a caller about to wait for bytes.
func (d *Decoder) Trim() {
	d.done.release()
	d.done = nil
	d.msg.Payload = nil
}

// Release gives back all buffers. The Decoder is of no more use.
func (d *Decoder) Release() {
	d.Trim()
	for _, cs := range d.streams {
		cs.drop()
	}
	d.streams, d.last, d.cur, d.partial = nil, nil, nil, 0
	if d.err == nil {
		d.err = errors.New("rtmp: decoder released")
	}
}

// Decode consumes bytes from the front of p until a message is whole or p is
// used up, and returns how many. If m is not nil, the caller handles it and
// calls again with the rest, p[n:]. If m is nil and err is nil, n is len(p). The
// message and its payload are valid until the next call.
func (d *Decoder) Decode(p []byte) (n int, m *Message, err error) {
	if d.err != nil {
		return 0, nil, d.err
	}
	d.Trim()
	for {
		in := p[n:]
		again := len(d.back) > 0
		if again {
			in = d.back
		}
		k, m, err := d.step(in)
		if again {
			d.back = d.back[k:]
		} else {
			n += k
		}
		if err != nil {
			d.err = err
			return n, nil, err
		}
		if m != nil {
			return n, m, nil
		}
		if len(d.back) == 0 && n == len(p) {
			return n, nil, nil
		}
	}
}

// step reads a header, or payload of the chunk at hand. It returns with no
// message when there is more to do or p is used up.
func (d *Decoder) step(p []byte) (n int, m *Message, err error) {
	if d.cur == nil {
		n, err = d.header(p)
		if d.cur == nil || err != nil {
			return n, nil, err
		}
		if d.left > 0 && n < len(p) && len(d.back) == 0 {
			p = p[n:]
		} else {
			p = nil
		}
	}
	cs := d.cur
	take := min(d.left, len(p))
	d.offset += int64(take)
	if take == cs.length {
		// All of it at once, or an empty message: no copy.
		d.msg.Payload = p[:take:take]
		d.left = 0
	} else if take > 0 {
		d.gather(cs, p[:take])
	}
	n += take
	if d.left > 0 {
		return n, nil, nil
	}
	d.cur = nil
	if cs.arrived < cs.length && take < cs.length {
		return n, nil, nil
	}
	m, err = d.complete(cs)
	return n, m, err
}

// gather adds payload to a message that comes in several pieces. begin has seen
// to the limit.
func (d *Decoder) gather(cs *chunkStream, p []byte) {
	cs.buf = cs.buf.room(len(p))
	cs.buf.b = append(cs.buf.b, p...)
	cs.arrived += len(p)
	d.partial += len(p)
	d.left -= len(p)
}

// complete hands cs's message out and obeys it if it concerns the chunk layer.
func (d *Decoder) complete(cs *chunkStream) (*Message, error) {
	m := &d.msg
	if cs.buf != nil {
		d.done, m.Payload = cs.buf, cs.buf.b
	}
	m.Type, m.StreamID, m.ChunkStream, m.Timestamp = cs.typ, cs.streamID, cs.id, cs.timestamp
	d.partial -= cs.arrived
	cs.buf, cs.arrived, cs.busy = nil, 0, false

	switch m.Type {
	case SetChunkSize:
		if len(m.Payload) < 4 {
			return nil, d.fault(ReasonShortControl, m.Type, nil)
		}
		size := binary.BigEndian.Uint32(m.Payload)
		if size == 0 {
			return nil, d.fault(ReasonChunkSize, m.Type, errors.New("size 0"))
		}
		if size>>31 != 0 {
			return nil, d.fault(ReasonChunkSize, m.Type, errTopBit)
		}
		d.chunkSize = min(int(size), d.lim.Message)
	case Abort:
		if len(m.Payload) < 4 {
			return nil, d.fault(ReasonShortControl, m.Type, nil)
		}
		if aborted := d.find(binary.BigEndian.Uint32(m.Payload)); aborted != nil {
			d.partial -= aborted.arrived
			aborted.drop()
		}
	}
	return m, nil
}

// find returns the chunk stream with this id, or nil.
func (d *Decoder) find(id uint32) *chunkStream {
	if d.last != nil && d.last.id == id {
		return d.last
	}
	for _, cs := range d.streams {
		if cs.id == id {
			d.last = cs
			return cs
		}
	}
	return nil
}

func (d *Decoder) fault(r Reason, t MessageType, cause error) error {
	return &Error{Reason: r, Type: t, Offset: d.offset, Err: cause}
}
