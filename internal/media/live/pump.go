package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// pump is a goroutine that serves a share of the viewers.
//
//	loop: mailbox → sockets to try again → each beat that has rested: pass over its groups with news → rest or sleep
//
// It is woken by appends while it sleeps, unless the publisher makes the pass itself (see atOnce), by mail always,
// and by its timer.
type pump struct {
	// Static.
	hub   *Hub
	index int
	wake  chan struct{} // capacity 1

	// Any goroutine.
	beats   atomic.Pointer[[]*beat] // replaced under mu
	viewers atomic.Int64

	mu      sync.Mutex
	mail    []mail       // guarded by mu
	stopped bool         // guarded by mu
	ends    atomic.Int32 // broadcasts that are over, in mail; changed with mu held

	// turn is held by who does the pump's work: its goroutine, but while it sleeps, or a publisher in its
	// stead. Whoever holds it takes the streams' locks, never the other way round.
	turn chan struct{} // capacity 1: taken by who sends to it
	// What is "owned by the pump", here and elsewhere, is guarded by turn.
	lent    bool   // a publisher holds the turn
	spare   []mail // swapped with mail
	groups  map[*group]struct{}
	blocked []*Viewer     // whose sockets would block, or who had to yield
	retryAt time.Duration // the earliest of blocked
	timer   *time.Timer
	vec     vector // what is being sent to a lane
}

const never = time.Duration(1<<63 - 1)

func newPump(h *Hub, index int) *pump {
	p := &pump{hub: h, index: index, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1), groups: map[*group]struct{}{}, retryAt: never}
	p.timer = time.NewTimer(time.Hour)
	p.beats.Store(new([]*beat))
	return p
}

func (p *pump) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pump) run() {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	for {
		now := p.hub.now()
		if p.readMail(now) {
			return
		}
		p.retry(now)
		for _, b := range *p.beats.Load() {
			if !b.rested(now) {
				continue
			}
			start := p.hub.now()
			if t := p.pass(b, start); t.groups > 0 {
				b.rest(start, p.hub.now(), t)
			}
		}
		p.sleep()
	}
}

// pass serves the viewers of every group of a beat with news.
func (p *pump) pass(b *beat, now time.Duration) (t tally) {
	b.met = b.aligned && b.picture.Swap(0) == 0
	b.aligned, b.stretched = false, false
	g := b.dirty.Swap(nil)
	for g != nil {
		next := g.next
		// Before the log is read: an append from here on puts it back on the stack.
		g.next = nil
		g.dirty.Store(false)
		p.serve(g, now, &t)
		g = next
	}
	return t
}

// serve walks a group, unless the end of its broadcast waits in the mail: what was appended since is
// another's. First the lane, then those who are not in it, who go no further
// than the lane did, so that they can join it. A viewer that ends or joins has its
// place taken by the last one.
func (p *pump) serve(g *group, now time.Duration, t *tally) {
	viewers, came, end := len(g.lane.slots)+len(g.viewers), g.log.came.Load(), g.log.end.Load()
	if p.ends.Load() > 0 { // looked at after the log: nothing is appended before the end is posted
		g.push()
		return
	}
	began := p.hub.now()
	t.groups++
	t.sends += viewers
	t.due += viewers * int(came-g.seen)
	g.seen = came
	p.sendLane(g, end, now)
	for i := 0; i < len(g.viewers); {
		v := g.viewers[i]
		if v.blockedAt >= 0 || v.serve(now, end) && !p.enlane(v) {
			i++
		}
	}
	g.took.Store(int64(p.hub.now() - began))
}

// retry serves the blocked viewers that are due, and ends the stalled ones.
func (p *pump) retry(now time.Duration) {
	if now < p.retryAt {
		return
	}
	p.retryAt = never
	for i := 0; i < len(p.blocked); {
		v := p.blocked[i]
		if now >= v.retryAt {
			if !v.serve(now, noLimit) || v.blockedAt < 0 {
				continue // its place was taken by the last one
			}
			if now-v.progressed >= p.hub.opts.StallLimit {
				p.drop(v, ReasonStalled, nil)
				continue
			}
		}
		p.retryAt = min(p.retryAt, v.retryAt)
		i++
	}
}

// block notes that a viewer's socket takes no more for now.
func (p *pump) block(v *Viewer, now time.Duration, moved bool) {
	next := 2 * v.backoff
	if moved {
		next = v.backoff / 2
	}
	v.backoff = min(max(next, minRetry), maxRetry)
	p.park(v, now, now+v.backoff)
}

// yield puts a viewer that would take more behind the others.
func (p *pump) yield(v *Viewer, now time.Duration) { p.park(v, now, now) }

func (p *pump) park(v *Viewer, now, at time.Duration) {
	if v.blockedAt < 0 {
		v.progressed = now
		v.blockedAt = len(p.blocked)
		p.blocked = append(p.blocked, v)
	}
	v.retryAt = at
	p.retryAt = min(p.retryAt, at)
}

func (p *pump) unblock(v *Viewer) {
	i := v.blockedAt
	if i < 0 {
		return
	}
	last := p.blocked[len(p.blocked)-1]
	p.blocked[i], last.blockedAt = last, i
	p.blocked[len(p.blocked)-1] = nil
	p.blocked = p.blocked[:len(p.blocked)-1]
	v.blockedAt, v.backoff = -1, 0
}

func (p *pump) add(v *Viewer) {
	g := v.group
	g.insert(v)
	if g.count.Add(1) == 1 {
		g.seen = g.log.came.Load()
	}
	p.groups[g] = struct{}{}
}

// drop ends a viewer. Whoever waits for its end hears of it from the pump's own goroutine: a
// publisher may hold what they want.
func (p *pump) drop(v *Viewer, reason Reason, err error) {
	if !v.quit() {
		return
	}
	p.unlane(v)
	p.unblock(v)
	g := v.group
	g.remove(v)
	if g.count.Add(-1) == 0 {
		delete(p.groups, g)
	}
	if !p.lent || !p.post(mail{op: opGone, viewer: v, reason: reason, err: err}) {
		v.leave(reason, err)
	}
}

// sleep waits for mail, for the end of a rest, for sockets to try again, or, not
// resting, for news.
func (p *pump) sleep() {
	now := p.hub.now()
	until := p.retryAt
	beats := *p.beats.Load()
	for _, b := range beats {
		if !b.rested(now) {
			until = min(until, b.restUntil)
			continue
		}
		b.asleep.Store(true)
		if b.dirty.Load() != nil {
			until = now
		}
	}
	p.wait(now, until)
	for _, b := range beats {
		b.asleep.Store(false)
	}
}

func (p *pump) wait(now, until time.Duration) {
	if until <= now {
		return
	}
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	if until == never {
		<-p.wake
	} else {
		p.timer.Reset(until - now)
		select {
		case <-p.wake:
		case <-p.timer.C:
		}
	}
}
