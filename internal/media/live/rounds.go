package live

import (
	"sync"
	"time"
)

// Rounds says when those who read streams with cursors, each on a goroutine of its own, go on
// once there is news: at once as long as there is time for that, else all of one bound
// together, when the first news has waited for that long. It is to them what a beat is to a pump's viewers, by the same pace.
type Rounds struct {
	start time.Time

	mu     sync.Mutex
	rounds map[time.Duration]*round // by their bound
}

// round is those with one bound.
type round struct {
	all *Rounds
	// Guarded by Rounds.mu.
	pace  pace
	ready []*Turn     // have news and wait for the next one, since the first of them has
	timer *time.Timer // runs iff ready is not empty
}

// Turn is one reader's place in the rounds.
type Turn struct {
	of      *round // nil: it waits for nobody
	wake    func()
	waiting bool // in of.ready; guarded by Rounds.mu
}

// NewRounds returns rounds that nobody takes part in. It has no goroutine, only a timer
// while somebody waits.
func NewRounds() *Rounds {
	return &Rounds{start: time.Now(), rounds: map[time.Duration]*round{}}
}

// Turn adds a reader, who may be held up for up to bound. wake is as a cursor's. Nil rounds hold nobody up.
func (r *Rounds) Turn(bound time.Duration, wake func()) *Turn {
	t := &Turn{wake: wake}
	if r == nil {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.of = r.rounds[bound]; t.of == nil {
		t.of = &round{all: r, pace: pace{max: bound}}
		r.rounds[bound] = t.of
	}
	return t
}

// News is a cursor's wake: it calls the turn's own, now or in the next round.
func (t *Turn) News() {
	if t.of == nil || !t.of.add(t) {
		t.wake()
	}
}

// add has t wait; false if it need not.
func (o *round) add(t *Turn) bool {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	if !o.pace.busy {
		return false
	}
	if t.waiting {
		return true
	}
	t.waiting = true
	if o.ready = append(o.ready, t); len(o.ready) > 1 {
		return true
	}
	if o.timer == nil {
		o.timer = time.AfterFunc(o.pace.max, o.begin)
	} else {
		o.timer.Reset(o.pace.max)
	}
	return true
}

// begin lets everybody go on who waits.
func (o *round) begin() {
	o.all.mu.Lock()
	ready := o.ready
	o.ready = make([]*Turn, 0, len(ready))
	for _, t := range ready {
		t.waiting = false
	}
	o.all.mu.Unlock()
	for _, t := range ready {
		t.wake()
	}
}

// Sent tells what a turn was used for: how long sending took, in how many writes, and of how
// many messages.
func (t *Turn) Sent(took time.Duration, writes, messages int) {
	if t.of == nil || writes == 0 {
		return
	}
	t.of.all.mu.Lock()
	defer t.of.all.mu.Unlock()
	now := time.Since(t.of.all.start)
	t.of.pace.passed(now-took, now, writes, messages)
}
