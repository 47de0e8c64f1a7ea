package live

import (
	"sync/atomic"

	"weir/rtmp"
)

// joinPoint is a place where a viewer can start: a key frame, or a sound of a
// stream without pictures. All but blob is immutable.
type joinPoint struct {
	form Form
	off  uint64 // log offset of its message
	ms   int64
	at   stamp // when it was made
	// The headers in force at off, and the log offset behind the last of them
	// that went into the log. A viewer that has everything up to p needs none
	// of them again iff hdrEnd <= p.
	hdr    *headers
	hdrEnd uint64

	blob atomic.Pointer[[]byte]
}

// after reports whether the join point is after a position on the clock of its
// segment; not if they are on different clocks.
func (j *joinPoint) after(p Position, seg *segment) bool {
	c := seg.clock.Load()
	return c != nil && c.Base == p.Base && int32(uint32(j.ms)-c.Shift-p.At) > 0
}

// headerBytes are the headers in the log's form, stamped with the time of the
// join point, metadata with zero. They are encoded for the first joiner and shared by the others.
// Any goroutine; of two first ones, one works for nothing.
func (j *joinPoint) headerBytes() []byte {
	if b := j.blob.Load(); b != nil {
		return *b
	}
	var b []byte
	for _, h := range j.hdr.all() {
		m := rtmp.Message{
			Type: h.typ, StreamID: StreamID, ChunkStream: rtmp.DefaultChunkStream(h.typ),
			Timestamp: uint32(j.ms), Payload: h.payload,
		}
		if h.typ == rtmp.DataAMF0 {
			// FFmpeg takes metadata for the file's only at time zero, and for a track
			// of subtitles at any other.
			m.Timestamp = 0
		}
		b = j.form.append(b, &m)
	}
	j.blob.Store(&b)
	return b
}
