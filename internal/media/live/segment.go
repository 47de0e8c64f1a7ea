package live

import (
	"slices"
	"sync/atomic"
)

// segment is a run of whole messages. Its memory is written once, front to
// back; what lies below log.end never changes again.
type segment struct {
	// Static.
	num  uint64 // position in the log: 0, 1, 2, …
	base uint64 // log offset of mem[0]
	mem  []byte // len = capacity
	// entries[:n] is valid, and entries[i+1].off = entries[i].off + entries[i].size.
	entries []entry // len = capacity

	// Owned by the writer.
	used int

	// Written by the writer, read by all.
	n      atomic.Uint32
	sealed atomic.Uint64         // log offset of the segment's end once it is full; 0 before
	clock  atomic.Pointer[Clock] // of all its frames; nil before the first
}

// entry is the index of one message.
type entry struct {
	off, size uint32 // bytes of the segment
	at        stamp  // when it was appended
	flags     flags
	ms        int64 // stream time
}

type flags uint8

const (
	flagAudio  flags = 1 << iota
	flagVideo        // neither of the two = data
	flagKey          // joiners may start here
	flagHeader       // sequence header or metadata: sent to filtered viewers too
)

func (e *entry) end() uint32 { return e.off + e.size }

// on reports whether a message on a clock may go into the segment.
func (s *segment) on(c *Clock) bool {
	switch s.clock.Load() {
	case c:
		return true
	case nil:
		s.clock.Store(c)
		return true
	}
	return false
}

// find returns the index of the message that holds the byte at off, or n if
// off is the end of what is published.
func (s *segment) find(off uint64) int {
	rel := uint32(off - s.base)
	i, _ := slices.BinarySearchFunc(s.entries[:s.n.Load()], rel, func(e entry, rel uint32) int {
		switch {
		case e.end() <= rel:
			return -1
		case e.off > rel:
			return 1
		}
		return 0
	})
	return i
}

// from returns the bytes from off, which it holds or where it ends, up to end or its own.
// end is what the log's was.
func (s *segment) from(off, end uint64) []byte {
	if sealed := s.sealed.Load(); sealed != 0 {
		end = min(end, sealed)
	}
	return s.mem[off-s.base : end-s.base]
}

// table is the list of a log's segments, immutable.
type table struct {
	segs []*segment // ascending, without gaps; segs[0].num = first
}

// at returns the segment that holds off, or whose end it is. Nil: it has gone,
// or is not there yet.
func (t *table) at(off uint64) *segment {
	for _, s := range slices.Backward(t.segs) {
		if s.base <= off {
			if end := s.sealed.Load(); end != 0 && off > end {
				return nil
			}
			return s
		}
	}
	return nil
}

// after returns the segment that follows s. ok is false if it was already freed.
func (t *table) after(s *segment) (next *segment, ok bool) {
	if len(t.segs) == 0 || s.num+1 < t.segs[0].num {
		return nil, false
	}
	if i := s.num + 1 - t.segs[0].num; i < uint64(len(t.segs)) {
		return t.segs[i], true
	}
	return nil, true
}
