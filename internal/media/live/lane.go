package live

import (
	"sync/atomic"
	"time"
)

// lane is those viewers of a group that have everything up to one and the same
// place, as nearly all have nearly always. What each of them lacks is the same
// bytes, so a pass needs nothing of a viewer but where to send them. The slots
// lie in a row: a pass over thousands reads 16 bytes each in order, where it
// would otherwise miss ten cache lines a viewer, which at 2,000 viewers is an
// eighth of the whole cost.
//
// The lane stands for the reader of its viewers: while v.inLane, v.r.seg is nil,
// and v.r.off means nothing. Whatever is about one viewer alone (control bytes, a pause, a
// socket that takes no more) moves it back among group.viewers first.
//
//	              pass: caught up with the lane
//	group.viewers ─────────────────────────────▶ lane
//	              ◀─────────────────────────────
//	              mail, would block, end
type lane struct {
	// Owned by the pump.
	seg   *segment // that holds off, or whose end it is; nil without slots
	at    stamp    // of the last pass
	slots []slot

	off atomic.Uint64 // everything below has been taken by all; Viewer.Stats reads it
}

// vector is what a pass sends to a lane: bytes of a segment, and if that ends there, those
// of the next. Two writes where a segment ends would be a fifth more of them at a bound of 350 ms.
type vector struct {
	a, b []byte
	seg  *segment // that holds b
	wire wire
}

func (v *vector) len() int { return len(v.a) + len(v.b) }

// slot is a viewer in a lane.
type slot struct {
	fd int // -1: through v.sink
	v  *Viewer
}

// send writes a, and b behind it, in one call if possible.
func (s *slot) send(v *vector) (int, error) {
	switch {
	case s.fd >= 0 && len(v.b) == 0:
		return sendTo(s.fd, v.a)
	case s.fd >= 0:
		return v.sendTo(s.fd)
	}
	n, err := s.v.sink.TryWrite(v.a)
	if n < len(v.a) || err != nil || len(v.b) == 0 {
		return n, err
	}
	m, err := s.v.sink.TryWrite(v.b)
	return n + m, err
}

// sendLane brings the lane of a group up to end.
func (p *pump) sendLane(g *group, end uint64, now time.Duration) {
	defer func() { p.vec = vector{} }() // it would keep memory of the log
	l := &g.lane
	for len(l.slots) > 0 {
		off := l.off.Load()
		if off >= end {
			break
		}
		p.vec = vector{a: l.seg.from(off, end)}
		to := off + uint64(len(p.vec.a))
		if to < end { // the segment ends there
			next, _ := g.log.table.Load().after(l.seg)
			if next == nil {
				p.dissolve(g) // out of retention: each finds its own way
				return
			}
			switch same := next.clock.Load() == l.seg.clock.Load(); {
			case to > off && same:
				p.vec.b, p.vec.seg = next.from(to, end), next
				to += uint64(len(p.vec.b))
			case to > off: // this part first
			case !same:
				p.dissolve(g) // some have to be told
				return
			default:
				l.seg = next
				continue
			}
		}
		p.sendAll(g, &p.vec, now)
		if p.vec.seg != nil && len(l.slots) > 0 {
			l.seg = p.vec.seg
		}
		l.off.Store(to)
	}
	l.at = stampOf(now)
}

// sendAll sends the same to everybody in the lane. Who does not take all of it leaves.
func (p *pump) sendAll(g *group, vec *vector, now time.Duration) {
	l := &g.lane
	for i := 0; i < len(l.slots); {
		s := &l.slots[i]
		n, err := s.send(vec)
		if n == vec.len() {
			i++
			continue
		}
		v := s.v
		p.unlane(v) // its place is taken by the last one
		v.took(n)
		if err != nil {
			p.drop(v, ReasonWriteFailed, err)
			continue
		}
		moved := n > 0
		if n >= len(vec.a) && vec.seg != nil {
			n -= len(vec.a)
			v.r.seg, v.r.off = vec.seg, vec.seg.base
		}
		v.r.advance(n)
		v.r.behind = true
		p.block(v, now, moved)
	}
}

// enlane puts a viewer into the lane if it is where the lane is, and nothing is
// about it alone.
func (p *pump) enlane(v *Viewer) bool {
	r, l := &v.r, &v.group.lane
	switch {
	case v.blockedAt >= 0, v.paused, v.ending != "", v.hasControl.Load():
		return false
	case r.seg == nil, r.mid, r.behind, len(r.out) > 0, len(r.pre) > 0:
		return false
	case r.deny != 0, r.needKey, r.limit != noLimit:
		return false
	case len(l.slots) == 0:
		l.seg, l.at = r.seg, r.entered
		l.off.Store(r.off)
	case r.off != l.off.Load(), r.seg != l.seg:
		return false
	}
	v.group.remove(v)
	v.inLane, v.index = true, len(l.slots)
	if v.stream.latency.Low {
		setGathering(v.sink, true) // it has had its first media
	}
	l.slots = append(l.slots, slot{descriptor(v.sink), v})
	v.sent.Store((v.sent.Load()>>1-int64(r.off))<<1 | 1)
	r.seg = nil // it would keep memory of the log
	return true
}

// unlane puts a viewer back among those that are served one by one.
func (p *pump) unlane(v *Viewer) {
	if !v.inLane {
		return
	}
	l, off := &v.group.lane, v.group.lane.off.Load()
	n := len(l.slots) - 1
	last := l.slots[n]
	l.slots[v.index], last.v.index = last, v.index
	l.slots[n] = slot{}
	l.slots = l.slots[:n]
	v.inLane = false
	v.sent.Store((v.sent.Load()>>1 + int64(off)) << 1)
	v.r.seg, v.r.off, v.r.entered = l.seg, off, l.at
	v.group.insert(v)
	if n == 0 {
		l.seg, l.slots = nil, nil
	}
}

// dissolve empties the lane.
func (p *pump) dissolve(g *group) {
	for len(g.lane.slots) > 0 {
		p.unlane(g.lane.slots[len(g.lane.slots)-1].v)
	}
}
