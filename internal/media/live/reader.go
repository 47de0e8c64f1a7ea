package live

import "slices"

// reader is a position in a log, with the rules of joining and skipping. It is
// the part that viewers and cursors share, and belongs to one goroutine.
//
// At any time the next bytes are out, if there are any, else what the log has at
// off. A reader is at a message boundary iff out is empty and mid is false.
//
//	         join point              partial write
//	waiting ───────────▶ running ⇄ running, mid
//	   ▲                    │ lagging, fell out of retention (at a boundary only)
//	   └────────────────────┘
type reader struct {
	log *log
	// out goes before the log: preamble, headers, control bytes, trailer. Whole
	// messages; shared memory, never written.
	out []byte
	// pre is the preamble: it goes in one piece with the first headers.
	pre []byte
	seg *segment // that holds off; nil = waiting for a join point
	off uint64   // log offset of the next byte; waiting: no join point before it
	mid bool     // off is within a message
	// greeted: headers were sent once, and all header changes below known since.
	greeted bool
	known   uint64
	entered stamp   // when it last jumped or had everything: it cannot lag by more
	behind  bool    // it did not get everything the last time; set by its owner
	origin  *origin // nil: a reader that wants nothing of this
	limit   uint64
	upTo    uint64 // the end of the log if next has just looked there, else noLimit

	deny      flags // kinds that it does not want
	needKey   bool  // pictures are wanted again, from a key frame on
	skips     int   // jumps that lost something
	lagLimit  int64 // ms
	skippedBy Reason
}

// origin is what sets a reader apart that is another server, not a viewer.
type origin struct {
	// from is what the other side has: the reader first enters the newest join point that is not
	// after it, else the oldest there is on that clock.
	from Position
	// tell makes the message that goes before the first frame of a clock; nil: it is
	// not to be told.
	tell func(Clock) []byte
	told *Clock
}

const noLimit = 1<<64 - 1

func newReader(l *log) reader {
	return reader{log: l, limit: noLimit, lagLimit: l.opts.LagLimit.Milliseconds()}
}

// next returns what to send next, a whole number of messages unless it begins
// within one, and nothing of the log from to on, which is noLimit or was the end of the log
// once. Nothing: it has all there is.
func (r *reader) next(now stamp, to uint64) []byte {
	for {
		if len(r.out) > 0 {
			return r.out
		}
		if r.seg == nil {
			moved := r.enter(now)
			if len(r.pre) > 0 {
				r.out, r.pre = append(slices.Clip(r.pre), r.out...), nil
				continue
			}
			if !moved {
				return nil
			}
			continue
		}
		end := min(r.log.end.Load(), r.limit, to)
		r.upTo = end
		if r.off >= end {
			r.behind, r.entered = false, now
			return nil
		}
		// The order matters: a segment that was not sealed when end was loaded
		// holds everything up to end.
		if sealed := r.seg.sealed.Load(); sealed != 0 && sealed < end {
			if r.off == sealed {
				if !r.step(now) {
					return nil
				}
				continue
			}
			end = sealed
		}
		if r.behind && r.lagging(now) {
			if j := r.log.join.Load(); j != nil && j.off > r.off && j.off < r.limit {
				if r.mid {
					return r.restOfMessage()
				}
				r.skipped(ReasonLagging)
				r.wait()
				continue
			}
		}
		if r.deny != 0 || r.needKey {
			if b := r.filtered(end); len(b) > 0 {
				return b
			}
			continue
		}
		return r.seg.mem[r.off-r.seg.base : end-r.seg.base]
	}
}

// advance notes that n bytes of what next returned were taken.
func (r *reader) advance(n int) {
	if len(r.out) > 0 {
		r.out = r.out[n:]
		return
	}
	if n == 0 {
		return
	}
	r.off += uint64(n)
	i := r.seg.find(r.off)
	r.mid = i < int(r.seg.n.Load()) && r.seg.base+uint64(r.seg.entries[i].off) != r.off
}

// took is advance over everything that next returned: no search is needed to
// know that a message ends there.
func (r *reader) took(n int) {
	if len(r.out) > 0 {
		r.out = nil
		return
	}
	r.off += uint64(n)
	r.mid = false
}

// caughtUp reports whether what next returned has all been taken and was all
// there was. It knows only of a look at the log in this very visit: an older one
// may have been followed by news that found the viewer blocked.
func (r *reader) caughtUp(now stamp) bool {
	if r.seg == nil || len(r.out) > 0 || r.off < r.upTo {
		return false
	}
	r.behind, r.entered = false, now
	return true
}

// enter goes to the join point. Without one it greets, and the reader waits.
func (r *reader) enter(now stamp) bool {
	j := r.log.join.Load()
	if j == nil || j.off < r.off || j.off >= r.limit {
		return r.greet() || r.enterEnd(now)
	}
	table := r.log.table.Load()
	seg := table.at(j.off)
	if r.origin != nil && seg != nil {
		j, seg = r.reachBack(table, j, seg)
	}
	if seg == nil {
		return r.greet() // j went out of retention just now
	}
	if !r.greeted || j.hdrEnd > r.known {
		r.out = j.headerBytes()
	}
	r.greeted, r.known = true, max(r.known, j.hdrEnd)
	r.seg, r.off, r.mid = seg, j.off, false
	r.tell()
	r.entered, r.upTo = now, noLimit
	return true
}

// greet sends the headers there are to a reader that will wait for a key frame.
func (r *reader) greet() bool {
	h := r.log.head.Load()
	if r.greeted || h == nil || h.off >= r.limit {
		return false
	}
	r.greeted, r.known = true, h.hdrEnd
	r.out = h.headerBytes()
	return len(r.out) > 0
}

// enterEnd lets a reader that wants no pictures start anywhere.
func (r *reader) enterEnd(now stamp) bool {
	if r.deny&flagVideo == 0 || !r.greeted {
		return false
	}
	off := r.log.end.Load()
	seg, h := r.log.table.Load().at(off), r.log.head.Load()
	if seg == nil || h == nil || off >= r.limit || r.origin != nil && seg.clock.Load() == nil {
		return false
	}
	if h.hdrEnd > r.known {
		r.out = h.headerBytes()
	}
	r.seg, r.off, r.mid, r.known = seg, off, false, off
	r.entered, r.upTo = now, noLimit
	r.tell()
	return true
}

// reachBack is the join point to enter in place of the newest, for a reader whose
// other side has part of the stream.
func (r *reader) reachBack(t *table, j *joinPoint, seg *segment) (*joinPoint, *segment) {
	from := r.origin.from
	r.origin.from = Position{}
	priors := r.log.priors()
	for i := len(priors) - 1; i >= 0 && !from.IsZero() && j.after(from, seg); i-- {
		p := priors[i]
		s := t.at(p.off)
		if p.off < r.off || s == nil || s.clock.Load() == nil || s.clock.Load().Base != from.Base {
			break
		}
		j, seg = p, s
	}
	return j, seg
}

func (r *reader) asOrigin() *origin {
	if r.origin == nil {
		r.origin = &origin{}
	}
	return r.origin
}

// tell announces the clock of the segment that the reader has come to.
func (r *reader) tell() {
	if r.origin == nil || r.origin.tell == nil {
		return
	}
	if c := r.seg.clock.Load(); c != nil && c != r.origin.told {
		r.origin.told = c
		r.out = append(r.origin.tell(*c), r.out...)
	}
}

// step goes to the next segment.
func (r *reader) step(now stamp) bool {
	next, ok := r.log.table.Load().after(r.seg)
	switch {
	case !ok:
		r.skipped(ReasonOutOfRetention)
		r.wait()
		return true
	case next == nil:
		return false
	}
	r.seg = next
	r.tell()
	return true
}

// wait gives up the place, which must be a message boundary, for the next join
// point at or after it.
func (r *reader) wait() {
	r.seg, r.mid = nil, false
	r.known = max(r.known, r.off)
}

func (r *reader) skipped(why Reason) {
	r.skips++
	r.skippedBy = why
}

// resume goes on after a pause: at the newest join point if there is one ahead.
func (r *reader) resume(now stamp) {
	r.entered = now
	if j := r.log.join.Load(); r.seg != nil && !r.mid && j != nil && j.off > r.off {
		r.wait()
	}
}

// lagging reports whether the next byte is older than the limit, counted from
// the reader's own arrival: what was here before it is not its delay.
func (r *reader) lagging(now stamp) bool {
	i := r.seg.find(r.off)
	if i >= int(r.seg.n.Load()) {
		return false
	}
	lag := min(r.seg.entries[i].at.until(now), r.entered.until(now))
	return lag.Milliseconds() > r.lagLimit
}

// restOfMessage returns the log up to the end of the message at off.
func (r *reader) restOfMessage() []byte {
	e := &r.seg.entries[r.seg.find(r.off)]
	return r.seg.mem[r.off-r.seg.base : e.end()]
}

// filtered returns the next run of messages that the reader wants, up to end,
// having moved over those before it that it does not.
func (r *reader) filtered(end uint64) []byte {
	if r.mid {
		return r.restOfMessage()
	}
	s := r.seg
	i, last := s.find(r.off), uint32(end-s.base)
	for ; s.entries[i].off < last && !r.wants(&s.entries[i]); i++ {
		if r.off = s.base + uint64(s.entries[i].end()); r.off == end {
			return nil
		}
	}
	from, to := s.entries[i].off, s.entries[i].end()
	for to < last && r.wants(&s.entries[i+1]) {
		i++
		to = s.entries[i].end()
	}
	return s.mem[from:to]
}

func (r *reader) wants(e *entry) bool {
	if e.flags&flagHeader != 0 {
		return true
	}
	kind := e.flags & (flagAudio | flagVideo)
	if kind&r.deny != 0 {
		return false
	}
	if kind == flagVideo && r.needKey {
		if e.flags&flagKey == 0 {
			return false
		}
		r.needKey = false
	}
	return true
}
