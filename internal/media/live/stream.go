package live

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"weir/internal/stream"
)

// Stream is one live stream: its logs, its source and its viewers. Its holder
// (see [Hub.Open]) keeps the reference while it calls any method.
type Stream struct {
	// Static.
	hub     *Hub
	name    stream.Name
	latency Latency

	// Published to readers.
	logs    [forms]atomic.Pointer[log] // logs[RTMP] always, logs[FLV] while it has a user
	cursors atomic.Pointer[[]*Cursor]
	viewers atomic.Int64

	holds int // guarded by hub.mu

	mu sync.Mutex
	// Guarded by mu: the writer's side.
	epoch   stream.Epoch
	writer  *Writer
	source  uint64 // how often the source has changed
	clock   timeline
	named   bool // the source's clock is known to clock
	headers *headers
	needKey bool  // pictures are dropped up to the next key frame
	video   bool  // the stream has pictures: joiners start at key frames
	videoAt int64 // stream time of the last picture or video header
	quiet   int   // messages since then
	lead    uint8 // the video track whose key frames are join points
	leadSet bool
	pruned  bool // headers of earlier sources are gone
	meter   meter
}

func newStream(h *Hub, name stream.Name) *Stream {
	s := &Stream{hub: h, name: name, latency: h.opts.latency(name)}
	s.logs[RTMP].Store(newLog(RTMP, &h.opts, nil))
	s.cursors.Store(new([]*Cursor))
	return s
}

// Name returns the stream's name.
func (s *Stream) Name() stream.Name { return s.name }

// Latency is how its viewers are served.
func (s *Stream) Latency() Latency { return s.latency }

// Release gives back the reference taken by [Hub.Open] or [Hub.Lookup].
func (s *Stream) Release() { s.hub.release(s) }

// Source says who writes.
type Source struct {
	// Epoch is the ownership under which it writes. A higher or equal one than
	// the last fences the last source; a lower one is refused.
	Epoch stream.Epoch
	// Timeline names the publisher's clock, by any text that changes with it. What the
	// stream has had of the same clock is dropped, whoever sent it. A source on
	// the clock of the last one goes on with its times, and one on another is moved to
	// where the last one ended. "" = not known yet: see [Writer.SetClock].
	Timeline string
}

// Attach makes a new source of the stream. The last one's writes fail from now on.
func (s *Stream) Attach(src Source) (*Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.Epoch.Less(s.epoch) {
		return nil, ErrStale
	}
	if s.writer == nil {
		s.hub.hold(s)
	}
	s.epoch = src.Epoch
	s.needKey = true
	s.source++
	s.named, s.clock.src = false, nil
	if src.Timeline != "" {
		s.begin(Clock{Base: src.Timeline})
	}
	s.writer = &Writer{stream: s}
	return s.writer, nil
}

// begin expects frames on a clock. mu is held.
func (s *Stream) begin(c Clock) {
	s.named = true
	s.clock.begin(c)
	if s.clock.continues() {
		return
	}
	s.pruned, s.leadSet = false, false
	// Joiners wait for its first key frame.
	s.eachLog(func(l *log) { l.unjoin() })
}

// Epoch returns the highest epoch that was attached.
func (s *Stream) Epoch() stream.Epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// Clock is the clock of what was delivered last; zero if nothing was. Two nodes
// that have the same base deliver the same frame at times that differ by the
// difference of their shifts, so a receiver may go from one to the other and drop what it has.
func (s *Stream) Clock() Clock {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.clock()
}

// Keep has the stream keep what is newer than a time of its own, in ms, for a cursor
// that may have to go back there, as long as the retention bounds allow. It
// replaces what was to be kept before.
func (s *Stream) Keep(ms int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs[RTMP].Load().hold = ms
}

// Kept is the time that Keep was given, where a cursor would start; zero if there was none.
func (s *Stream) Kept() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ms := s.clock.clock(), s.logs[RTMP].Load().hold
	if ms == noHold || ms == math.MinInt64 {
		return Position{}
	}
	return Position{Base: c.Base, At: uint32(ms) - c.Shift}
}

// Position is how far the stream has come.
func (s *Stream) Position() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.position()
}

// End tells every viewer and cursor there is now that the stream is over: they
// get what is left of it, then their trailer, then OnEnd. Headers, join points
// and the timeline are forgotten, so that a source after it is another
// broadcast; the epoch is remembered. A writer still attached is fenced.
func (s *Stream) End(reason Reason) {
	s.mu.Lock()
	detached := s.writer != nil
	s.writer = nil
	s.headers, s.clock, s.meter = nil, timeline{}, meter{}
	s.needKey, s.video, s.leadSet, s.pruned, s.named = true, false, false, false, false
	for f := range s.logs {
		l := s.logs[f].Load()
		if l == nil {
			continue
		}
		l.reset()
		for i := range l.groups {
			if g := l.groups[i].Load(); g != nil {
				g.pump.post(mail{op: opEnd, group: g, off: l.end.Load(), reason: reason})
			}
		}
	}
	s.mu.Unlock()
	s.endCursors(reason)
	if detached {
		s.hub.release(s)
	}
}

func (s *Stream) endCursors(reason Reason) {
	for _, c := range *s.cursors.Load() {
		c.finish(reason)
	}
}

// use returns the log in a form with one more user, made and filled from the
// last key frame if need be. mu is held.
func (s *Stream) use(f Form) *log {
	l := s.logs[f].Load()
	if l == nil {
		l = s.backfill(f)
		s.logs[f].Store(l)
	}
	l.users++
	return l
}

// unuse gives a log back. A log other than the RTMP one goes with its last user.
func (s *Stream) unuse(l *log) {
	s.mu.Lock()
	if l.users--; l.users == 0 && l.form != RTMP {
		s.logs[l.form].Store(nil)
	}
	s.mu.Unlock()
}

// backfill makes a log in another form with what a joiner needs: the messages
// of the RTMP log from its join point on. mu is held.
func (s *Stream) backfill(f Form) *log {
	from := s.logs[RTMP].Load()
	l := newLog(f, &s.hub.opts, from.hdr)
	if from.hdr.all() != nil {
		l.setHeaders(from.hdr, s.clock.last)
	}
	j := from.join.Load()
	if j == nil {
		return l
	}
	l.hdr = j.hdr
	for _, seg := range from.table.Load().segs {
		for i := range seg.n.Load() {
			e := &seg.entries[i]
			off := seg.base + uint64(e.off)
			if off < j.off {
				continue
			}
			m, _, err := NextMessage(seg.mem[e.off:e.end()])
			if err != nil {
				return l // unreachable: the log holds what NextMessage reads
			}
			to := l.append(e.at, e.flags, m.Type, e.ms, m.Payload())
			if off == j.off {
				l.publish(e.at, l.point(e.at, to, e.ms))
			}
			if e.flags&flagHeader != 0 {
				l.setHeaders(from.hdr, e.ms)
			}
		}
	}
	l.hdr = from.hdr
	return l
}

// count reports to the observer.
func (s *Stream) count(r Reason, n int) {
	if f := s.hub.opts.Observer.Count; f != nil {
		f(s.name, r, n)
	}
}

// wake tells pumps and cursors that there is more. It never waits. Unless more follows, it does
// the work of pumps that sleep, as far as that is quickly done.
func (s *Stream) wake(picture, more bool) {
	left := longPass
	var mine [atOnceMost]*group
	n := 0
	for f := range s.logs {
		if l := s.logs[f].Load(); l != nil {
			for i := range l.groups {
				g := l.groups[i].Load()
				if g == nil || !g.touch(picture) {
					continue
				}
				if cost := g.cost(); !more && n < len(mine) && cost <= left {
					mine[n] = g
					n++
					left -= cost
				} else {
					g.rouse()
				}
			}
		}
	}
	for _, c := range *s.cursors.Load() {
		c.more()
	}
	for _, g := range mine[:n] {
		if !g.pump.atOnce(g) {
			g.rouse()
		}
	}
}

func (s *Stream) addCursor(c *Cursor) {
	list := append(slices.Clone(*s.cursors.Load()), c)
	s.cursors.Store(&list)
}

func (s *Stream) removeCursor(c *Cursor) {
	list := slices.DeleteFunc(slices.Clone(*s.cursors.Load()), func(o *Cursor) bool { return o == c })
	s.cursors.Store(&list)
}
