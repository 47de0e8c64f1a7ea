package live

import (
	"sync/atomic"
	"time"

	"weir/rtmp"
)

// log is a stream in one form: an append-only sequence of bytes, each with an
// absolute offset, cut into segments. See the package comment for its invariants.
type log struct {
	// Static.
	form Form
	opts *Options

	// Published to readers.
	end   atomic.Uint64             // everything below is final, and a whole number of messages
	table atomic.Pointer[table]     // segments still kept
	join  atomic.Pointer[joinPoint] // where joiners start; nil = they wait
	prior atomic.Pointer[joinPoint] // the one before it, for as long as it is kept
	head  atomic.Pointer[joinPoint] // the current headers, for joiners that wait
	// groups are the viewers of this log, one group a pump; nil until the first.
	groups []atomic.Pointer[group]

	// Owned by the writer (the holder of stream.mu).
	cur     *segment
	hdr     *headers
	hdrEnd  uint64
	newest  *joinPoint // = join, or the one that outgrew the bounds
	pending *joinPoint // without pictures: the next join point, published when it has aged
	keyed   stamp      // when join was published
	users   int        // viewers and cursors
	scratch rtmp.Message
}

// overlapTime is how long after a key frame the group before it is kept, for a
// receiver that comes from another node (see [Cursor.StartEarly]). Why not shorter:
// what that node had received before the key frame must have come through, over a
// stalled link too. Why not longer: it is memory.
const overlapTime = time.Second

// markEvery spaces the join points of a stream without pictures. A joiner
// starts one to two of them back: up to 1 s, enough to fill a player's buffer.
const markEvery = 500 * time.Millisecond

func newLog(form Form, opts *Options, hdr *headers) *log {
	l := &log{form: form, opts: opts, hdr: hdr, groups: make([]atomic.Pointer[group], opts.Pumps)}
	l.table.Store(&table{})
	return l
}

// append encodes a message at the end and publishes it. It returns the offset
// of its first byte. The cost is one copy of the payload.
func (l *log) append(now stamp, fl flags, t rtmp.MessageType, ms int64, payload []byte) uint64 {
	m := &l.scratch
	*m = rtmp.Message{Type: t, StreamID: StreamID, ChunkStream: rtmp.DefaultChunkStream(t), Timestamp: uint32(ms), Payload: payload}
	size := l.form.size(m)
	s := l.room(now, size)
	// The capacity ends with the message: should size be wrong, append moves to
	// memory of its own and no reader ever sees a byte change.
	l.form.append(s.mem[s.used:s.used:s.used+size], m)
	m.Payload = nil

	n := s.n.Load()
	s.entries[n] = entry{off: uint32(s.used), size: uint32(size), at: now, flags: fl, ms: ms}
	s.n.Store(n + 1)
	off := s.base + uint64(s.used)
	s.used += size
	l.end.Store(off + uint64(size))
	return off
}

// room returns the segment for a message of size bytes, a new one if it does
// not fit. An oversize message gets a segment of exactly its size.
func (l *log) room(now stamp, size int) *segment {
	if s := l.cur; s != nil {
		if s.used+size <= len(s.mem) && int(s.n.Load()) < len(s.entries) {
			return s
		}
		s.sealed.Store(s.base + uint64(s.used))
	}
	capacity := l.opts.SegmentBytes
	if l.users < fewUsers {
		capacity /= smallSegment
	}
	capacity = max(size, capacity)
	s := &segment{base: l.end.Load(), mem: make([]byte, capacity), entries: make([]entry, max(capacity/bytesPerEntry, minEntries))}
	if l.cur != nil {
		s.num = l.cur.num + 1
	}
	l.cur = s
	l.retain(now, s)
	return s
}

// retain publishes the table with next added (if any) and without what neither
// joiners nor viewers within the lag limit need.
//
//	kept >= [newest join point, end)               while that is within RetainTime and RetainBytes
//	kept >= [the one before it, end)               for overlapTime, while that is within RetainBytes
//	kept >= everything younger than LagLimit       while that is within RetainBytes
//	kept <= RetainBytes + one message + SegmentBytes
func (l *log) retain(now stamp, next *segment) {
	end := l.end.Load()
	keep := end
	if j := l.join.Load(); j != nil {
		keep = j.off
		if p := l.prior.Load(); p != nil {
			if l.keyed.until(now) <= overlapTime && end-p.off <= uint64(l.opts.RetainBytes) {
				keep = p.off
			} else {
				l.prior.Store(nil)
			}
		}
	}
	segs := l.table.Load().segs
	for len(segs) > 0 {
		s := segs[0]
		to := s.sealed.Load()
		if to == 0 || to > keep {
			break
		}
		last := s.entries[s.n.Load()-1].at
		if last.until(now) <= l.opts.LagLimit && end-s.base <= uint64(l.opts.RetainBytes) {
			break
		}
		segs = segs[1:]
	}
	kept := make([]*segment, 0, len(segs)+1)
	kept = append(kept, segs...)
	if next != nil {
		kept = append(kept, next)
	}
	l.table.Store(&table{segs: kept})
}

// setHeaders takes over changed headers whose message ends at the end of the log.
func (l *log) setHeaders(hdr *headers, ms int64) {
	l.hdrEnd = l.end.Load()
	l.replaceHeaders(hdr, ms)
}

// replaceHeaders changes what joiners get, and nothing for those who are here.
func (l *log) replaceHeaders(hdr *headers, ms int64) {
	l.hdr = hdr
	l.head.Store(&joinPoint{form: l.form, off: l.hdrEnd, ms: ms, hdr: hdr, hdrEnd: l.hdrEnd})
}

func (l *log) point(off uint64, ms int64) *joinPoint {
	return &joinPoint{form: l.form, off: off, ms: ms, hdr: l.hdr, hdrEnd: l.hdrEnd}
}

func (l *log) publish(j *joinPoint) {
	l.prior.Store(l.join.Load())
	l.newest = j
	l.join.Store(j)
}

// key makes the message at off the join point.
func (l *log) key(now stamp, off uint64, ms int64) {
	l.pending = nil
	l.keyed = now
	l.publish(l.point(off, ms))
	if t := l.table.Load(); len(t.segs) > 1 {
		l.retain(now, nil)
	}
}

// mark makes the message at off a join point in the making, for a stream
// without pictures.
func (l *log) mark(off uint64, ms int64) {
	switch {
	case l.join.Load() == nil:
		l.pending = nil
		l.publish(l.point(off, ms))
	case l.pending == nil:
		if ms-l.newest.ms >= markEvery.Milliseconds() {
			l.pending = l.point(off, ms)
		}
	case ms-l.pending.ms >= markEvery.Milliseconds():
		l.publish(l.pending)
		l.pending = l.point(off, ms)
	}
}

// bound takes the join point back once it has left the retention bounds, and
// says which.
func (l *log) bound(ms int64) (r Reason) {
	switch j := l.join.Load(); {
	case j == nil:
		return ""
	case ms-j.ms > l.opts.RetainTime.Milliseconds():
		r = ReasonGOPTooLong
	case l.end.Load()-j.off > uint64(l.opts.RetainBytes):
		r = ReasonGOPTooLarge
	default:
		return ""
	}
	l.unjoin()
	return r
}

// unjoin takes the join point back: joiners wait for the next one.
func (l *log) unjoin() {
	l.pending = nil
	l.prior.Store(nil)
	l.join.Store(nil)
}

// reset forgets headers and join points: the stream is over, what follows is another.
func (l *log) reset() {
	l.hdr, l.hdrEnd = nil, 0
	l.newest = nil
	l.unjoin()
	l.head.Store(nil)
}

// kept returns the bytes in memory.
func (l *log) kept() (n int) {
	for _, s := range l.table.Load().segs {
		n += len(s.mem)
	}
	return n
}
