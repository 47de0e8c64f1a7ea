package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// messageHeaderSize is the size of the message header by its type (§5.3.1.2).
var messageHeaderSize = [4]int{11, 7, 3, 0}

// header reads the header of the next chunk from p. When it is whole, d.cur is
// set; until then its bytes wait in d.hdr.
func (d *Decoder) header(p []byte) (n int, err error) {
	if d.hn == 0 {
		if size := d.headerSize(p); size <= len(p) {
			d.offset += int64(size)
			return size, d.begin(p[:size])
		}
	}
	for n < len(p) {
		d.hdr[d.hn] = p[n]
		d.hn++
		d.offset++
		n++
		size := d.headerSize(d.hdr[:d.hn])
		if size > d.hn {
			continue
		}
		if size < d.hn {
			// The probe for an extended timestamp failed at this byte: it is
			// not ours yet, and those before it were payload.
			n--
			d.back = d.hdr[size : d.hn-1]
			d.offset -= int64(len(d.back)) + 1
		}
		d.hn = 0
		return n, d.begin(d.hdr[:size])
	}
	return n, nil
}

// headerSize returns the size of the header that b begins with, as far as b
// tells. If it is more than len(b), more bytes are needed and may enlarge it.
func (d *Decoder) headerSize(b []byte) int {
	if len(b) == 0 {
		return 1
	}
	size, id := basicHeader(b)
	if size > len(b) {
		return size
	}
	kind := b[0] >> 6
	if kind == 3 {
		if cs := d.find(id); cs != nil && cs.ext && !d.bare(cs, b[size:]) {
			size += 4
		}
		return size
	}
	field := b[size:]
	size += messageHeaderSize[kind]
	if len(field) >= 3 && field[0]&field[1]&field[2] == 0xFF {
		size += 4
	}
	return size
}

// basicHeader returns the size of the basic header that b begins with and, if
// all of it is there, the chunk stream id (§5.3.1.1).
func basicHeader(b []byte) (size int, id uint32) {
	switch id = uint32(b[0] & 0x3F); id {
	case 0:
		if len(b) >= 2 {
			id = 64 + uint32(b[1])
		}
		return 2, id
	case 1:
		if len(b) >= 3 {
			id = 64 + uint32(b[1]) + uint32(b[2])<<8
		}
		return 3, id
	}
	return 1, id
}

// bare reports whether a type 3 chunk of cs, followed by the bytes next, comes
// without the extended timestamp. The first one within a message decides for the
// connection: the bytes either repeat the timestamp or are payload. One that
// begins a message cannot decide, so there the specification holds.
func (d *Decoder) bare(cs *chunkStream, next []byte) bool {
	if d.dialect == dialectUnknown && cs.busy {
		var want [4]byte
		binary.BigEndian.PutUint32(want[:], cs.field)
		next = next[:min(len(next), 4)]
		switch {
		case !bytes.HasPrefix(want[:], next):
			d.dialect = dialectBare
		case len(next) == 4:
			d.dialect = dialectRepeats
		}
	}
	return d.dialect == dialectBare
}

// begin takes a whole header and starts its chunk.
func (d *Decoder) begin(b []byte) error {
	size, id := basicHeader(b)
	kind := b[0] >> 6
	b = b[size:]
	cs := d.find(id)
	if cs == nil {
		var err error
		if cs, err = d.open(id, kind, b); err != nil {
			return err
		}
	}
	if !cs.busy {
		cs.readHeader(kind, b)
		if err := d.checkLength(cs); err != nil {
			return err
		}
		cs.busy = true
	} else if kind != 3 {
		return d.fault(ReasonMidMessage, cs.typ, fmt.Errorf("chunk stream %d: header type %d with %d of %d bytes here", id, kind, cs.arrived, cs.length))
	}
	d.left = min(d.chunkSize, cs.length-cs.arrived)
	// The whole chunk counts, and before it arrives, so that the pieces it
	// arrives in make no difference.
	if limit := PartialMessages * d.max; d.partial+d.left > limit {
		return d.fault(ReasonPartialBytes, cs.typ, fmt.Errorf("more than %d bytes of unfinished messages", limit))
	}
	d.credit = min(d.credit+d.left-ChunkWorkBytes, d.lim.ChunkWork*ChunkWorkBytes)
	if d.credit < 0 {
		return d.fault(ReasonChunkWork, cs.typ, nil)
	}
	d.cur = cs
	return nil
}

// open makes a new chunk stream. It must begin with a type 0 header, with one
// exception that real clients need: librtmp answers pings with a type 1 header
// on chunk stream 2 even if nothing went there before. Control messages carry no
// meaningful timestamp and no message stream, so nothing is missing.
func (d *Decoder) open(id uint32, kind byte, b []byte) (*chunkStream, error) {
	if kind != 0 && !(id == 2 && kind == 1 && MessageType(b[6]).IsControl()) {
		return nil, d.fault(ReasonFirstChunk, 0, fmt.Errorf("chunk stream %d begins with header type %d", id, kind))
	}
	if len(d.streams) >= d.lim.ChunkStreams {
		return nil, d.fault(ReasonChunkStreams, 0, fmt.Errorf("more than %d", d.lim.ChunkStreams))
	}
	cs := &chunkStream{id: id}
	d.streams = append(d.streams, cs)
	d.last = cs
	return cs, nil
}

// readHeader takes the message header b of a new message.
func (cs *chunkStream) readHeader(kind byte, b []byte) {
	if kind < 3 {
		cs.delta = be24(b)
		cs.ext = cs.delta == extended
	}
	if kind < 2 {
		cs.length = int(be24(b[3:]))
		cs.typ = MessageType(b[6])
	}
	if kind == 0 {
		cs.streamID = binary.LittleEndian.Uint32(b[7:])
		cs.timestamp = 0
	}
	if b = b[messageHeaderSize[kind]:]; len(b) == 4 {
		cs.delta = binary.BigEndian.Uint32(b)
		cs.field = cs.delta
	}
	// After type 0 the field is the timestamp itself, and the delta of a type 3
	// that begins the next message (§5.3.1.2.4).
	cs.timestamp += cs.delta
}

// checkLength holds a message's announced length against the limit of its type.
func (d *Decoder) checkLength(cs *chunkStream) error {
	limit := d.max
	switch cs.typ {
	case SetChunkSize, Abort, Ack, UserControl, WindowAckSize, SetPeerBandwidth:
		limit = min(limit, MaxControlBytes)
	case CommandAMF0, CommandAMF3, SharedObjectAMF0, SharedObjectAMF3:
		limit = min(limit, d.lim.Command)
	}
	if cs.length > limit {
		return d.fault(ReasonMessageSize, cs.typ, fmt.Errorf("%d bytes announced, limit %d", cs.length, limit))
	}
	return nil
}

func be24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
