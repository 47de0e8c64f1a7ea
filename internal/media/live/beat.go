package live

import (
	"sync/atomic"
	"time"
)

// beat is the groups of a pump whose viewers are served within the same time.
// There are as many as there are different settings, one or a few.
type beat struct {
	dirty  atomic.Pointer[group] // stack of groups with news, newest first
	asleep atomic.Bool           // an append must wake the pump
	// A picture after that time must wake the pump; 0: none does. See pace.soft.
	picture atomic.Int64
	news    atomic.Int64 // while picture is set: when the first news came, of any group; 0: none has

	// Owned by the pump.
	pace
	restUntil time.Duration
	aligned   bool // picture was set after the last pass
	stretched bool // and the rest made longer for it
	met       bool // the last pass began upon one
	took      time.Duration
	sought    int // passes since a picture was last sought out of step
}

// rested reports whether it is time for a pass.
func (b *beat) rested(now time.Duration) bool {
	if now < b.restUntil {
		return b.aligned && b.picture.Load() == 0
	}
	if b.aligned && !b.stretched && b.picture.Load() != 0 {
		// No picture yet. What has come first can still wait a little.
		if until := min(time.Duration(b.news.Load())+b.max-b.took, b.restUntil+b.late()); until > now {
			b.restUntil, b.stretched = until, true
			return false
		}
	}
	return true
}

// rest notes a pass over so many groups.
func (b *beat) rest(start, end time.Duration, t tally) {
	b.restUntil = b.passed(start, end, t.sends, t.due)
	b.aligned = b.busy && t.groups == 1 && b.max >= alignLeast
	b.took = end - start
	b.sought++
	if b.aligned {
		seek := !b.met && b.sought >= realign
		if seek {
			b.sought = 0
		}
		var news time.Duration
		if b.dirty.Load() != nil {
			news = start // it came during the pass, and nobody noted when
		}
		b.news.Store(int64(news))
		b.picture.Store(int64(b.soft(start, seek)))
	}
}

// tally is what a pass did.
type tally struct{ groups, sends, due int }

// beat returns the pump's beat with that bound. Any goroutine; the pump learns of a
// new one with the mail that follows.
func (p *pump) beat(most time.Duration) *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.beats.Load()
	for _, b := range old {
		if b.max == most { // static
			return b
		}
	}
	b := &beat{pace: pace{max: most}}
	list := append(old[:len(old):len(old)], b)
	p.beats.Store(&list)
	return b
}
