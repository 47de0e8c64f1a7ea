package live

import "sync/atomic"

// group is the viewers of one log at one pump.
type group struct {
	// Static.
	stream *Stream
	log    *log
	pump   *pump
	beat   *beat

	// Owned by the pump.
	viewers []*Viewer // those who are not in the lane
	lane    lane
	seen    uint64 // log.came at the last pass

	// dirty: it is in its beat's stack of groups with news, at most once.
	dirty atomic.Bool
	next  *group // in that stack; owned by who set dirty
	count atomic.Int64
	took  atomic.Int64 // by the last pass over it, ns
}

// group returns the log's group at a pump, made at its first viewer. stream.mu is held.
func (l *log) group(p *pump, s *Stream) *group {
	g := l.groups[p.index].Load()
	if g == nil {
		g = &group{stream: s, log: l, pump: p, beat: p.beat(s.latency.Max)}
		l.groups[p.index].Store(g)
	}
	return g
}

// insert puts a viewer among those that are served one by one; remove takes it
// away. Pump only.
func (g *group) insert(v *Viewer) {
	v.index = len(g.viewers)
	g.viewers = append(g.viewers, v)
}

func (g *group) remove(v *Viewer) {
	n := len(g.viewers) - 1
	last := g.viewers[n]
	g.viewers[v.index], last.index = last, v.index
	g.viewers[n] = nil
	if g.viewers = g.viewers[:n]; n == 0 {
		g.viewers = nil
	}
}

// touch tells the pump that there is more to send: a picture, or something else. It reports whether the
// pump sleeps, to be woken by rouse. Publishers call it: it takes no lock and never waits.
func (g *group) touch(picture bool) (asleep bool) {
	if g.count.Load() == 0 {
		return false
	}
	b := g.beat
	if !g.dirty.Swap(true) {
		if b.picture.Load() != 0 {
			b.news.CompareAndSwap(0, int64(g.pump.hub.now())) // other groups may have had some before
		}
		g.stack()
		if b.asleep.Load() {
			return true
		}
	}
	if !picture {
		return false
	}
	if from := b.picture.Load(); from != 0 && int64(g.pump.hub.now()) >= from && b.picture.CompareAndSwap(from, 0) {
		g.pump.notify()
	}
	return false
}

// push puts the group back among those with news. Pump only.
func (g *group) push() {
	if !g.dirty.Swap(true) {
		g.stack()
	}
}

// stack is for who has set dirty.
func (g *group) stack() {
	for b := g.beat; ; {
		head := b.dirty.Load()
		g.next = head
		if b.dirty.CompareAndSwap(head, g) {
			return
		}
	}
}

// rouse wakes the pump for the group's beat, unless somebody has.
func (g *group) rouse() {
	if g.beat.asleep.Swap(false) {
		g.pump.notify()
	}
}
