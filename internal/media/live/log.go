package live

import (
	"math"
	"slices"
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
	came  atomic.Uint64                // how many messages ever; of no consequence but for pace
	end   atomic.Uint64                // everything below is final, and a whole number of messages
	table atomic.Pointer[table]        // segments still kept
	join  atomic.Pointer[joinPoint]    // where joiners start; nil = they wait
	prior atomic.Pointer[[]*joinPoint] // those before it that are kept, oldest first
	head  atomic.Pointer[joinPoint]    // the current headers, for joiners that wait
	// groups are the viewers of this log, one group a pump; nil until the first.
	groups []atomic.Pointer[group]

	// Owned by the writer (the holder of stream.mu).
	cur     *segment
	hdr     *headers
	hdrEnd  uint64
	newest  *joinPoint // = join, or the one that outgrew the bounds
	pending *joinPoint // without pictures: the next join point, published when it has aged
	clock   *Clock     // of the next frame
	hold    int64      // stream time: what is newer may be asked for again
	users   int        // viewers and cursors
	scratch rtmp.Message
}

// overlapTime is how long a group is kept behind the next key frame, for a receiver that comes
// from another node or connection (see [Position]). Why not shorter: a connection
// that has gone silent is noticed after 1.8 s, and what follows has to begin before. Why not
// longer: it is memory.
const overlapTime = 2500 * time.Millisecond

// noHold: nobody but joiners wants anything again.
const noHold = math.MaxInt64

// markEvery spaces the join points of a stream without pictures. A joiner
// starts one to two of them back: up to 1 s, enough to fill a player's buffer.
const markEvery = 500 * time.Millisecond

func newLog(form Form, opts *Options, hdr *headers) *log {
	l := &log{form: form, opts: opts, hdr: hdr, hold: noHold, groups: make([]atomic.Pointer[group], opts.Pumps)}
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
	l.came.Store(l.came.Load() + 1)
	l.end.Store(off + uint64(size))
	return off
}

// room returns the segment for a message of size bytes, a new one if it does
// not fit. An oversize message gets a segment of exactly its size.
func (l *log) room(now stamp, size int) *segment {
	if s := l.cur; s != nil {
		if s.used+size <= len(s.mem) && int(s.n.Load()) < len(s.entries) && s.on(l.clock) {
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
	s.clock.Store(l.clock)
	if l.cur != nil {
		s.num = l.cur.num + 1
	}
	l.cur = s
	l.retain(now, s)
	return s
}

// setClock says on which clock the next message is. A segment is on one clock only, so that
// a reader that has to know need not look but where segments change.
func (l *log) setClock(c Clock) {
	if l.clock == nil || *l.clock != c {
		l.clock = new(c)
	}
}

// retain publishes the table with next added (if any) and without what neither
// joiners nor viewers within the lag limit need.
//
//	kept >= [newest join point, end)               while that is within RetainTime and RetainBytes
//	kept >= [the newest one that is older than overlapTime and not newer than hold, end)   the same
//	kept >= everything younger than LagLimit       while that is within RetainBytes
//	kept <= RetainBytes + one message + SegmentBytes
func (l *log) retain(now stamp, next *segment) {
	end := l.end.Load()
	keep := end
	if j := l.join.Load(); j != nil {
		keep = j.off
		if p := l.forget(now, end); len(p) > 0 {
			keep = p[0].off
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

// forget drops those of the earlier join points that nobody needs any more, and
// returns the others.
func (l *log) forget(now stamp, end uint64) []*joinPoint {
	p := l.prior.Load()
	if p == nil {
		return nil
	}
	join := l.join.Load()
	list := *p
	for len(list) > 0 {
		next := join
		if len(list) > 1 {
			next = list[1]
		}
		needed := next.at.until(now) <= overlapTime || next.ms > l.hold
		if needed && end-list[0].off <= uint64(l.opts.RetainBytes) && join.ms-list[0].ms <= l.opts.RetainTime.Milliseconds() {
			break
		}
		list = list[1:]
	}
	if len(list) < len(*p) {
		l.setPrior(slices.Clone(list))
	}
	return list
}

func (l *log) setPrior(list []*joinPoint) {
	if len(list) == 0 {
		l.prior.Store(nil)
		return
	}
	l.prior.Store(&list)
}

// priors are the join points before the newest that are kept, oldest first.
func (l *log) priors() []*joinPoint {
	if p := l.prior.Load(); p != nil {
		return *p
	}
	return nil
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

func (l *log) point(now stamp, off uint64, ms int64) *joinPoint {
	return &joinPoint{form: l.form, off: off, ms: ms, at: now, hdr: l.hdr, hdrEnd: l.hdrEnd}
}

func (l *log) publish(now stamp, j *joinPoint) {
	if before := l.join.Load(); before != nil {
		l.setPrior(append(slices.Clone(l.priors()), before))
	}
	l.newest = j
	l.join.Store(j)
	l.forget(now, l.end.Load())
}

// key makes the message at off the join point.
func (l *log) key(now stamp, off uint64, ms int64) {
	l.pending = nil
	l.publish(now, l.point(now, off, ms))
	if t := l.table.Load(); len(t.segs) > 1 {
		l.retain(now, nil)
	}
}

// mark makes the message at off a join point in the making, for a stream
// without pictures.
func (l *log) mark(now stamp, off uint64, ms int64) {
	switch {
	case l.join.Load() == nil:
		l.pending = nil
		l.publish(now, l.point(now, off, ms))
	case l.pending == nil:
		if ms-l.newest.ms >= markEvery.Milliseconds() {
			l.pending = l.point(now, off, ms)
		}
	case ms-l.pending.ms >= markEvery.Milliseconds():
		l.publish(now, l.pending)
		l.pending = l.point(now, off, ms)
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
