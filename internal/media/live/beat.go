package live

import (
	"sync/atomic"
	"time"
)

// beat is the groups of a pump whose viewers are served within the same time.
// There are as many as there are different settings, one or a few.
type beat struct {
	max time.Duration // static: how long bytes may be held back

	dirty     atomic.Pointer[group] // stack of groups with news, newest first
	asleep    atomic.Bool           // an append must wake the pump
	restUntil time.Duration         // owned by the pump
}

// beat returns the pump's beat with that bound. Any goroutine; the pump learns of a
// new one with the mail that follows.
func (p *pump) beat(most time.Duration) *beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := *p.beats.Load()
	for _, b := range old {
		if b.max == most {
			return b
		}
	}
	b := &beat{max: most}
	list := append(old[:len(old):len(old)], b)
	p.beats.Store(&list)
	return b
}
