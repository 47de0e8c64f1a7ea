package node

import (
	"context"
	"math/rand/v2"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
)

const (
	// drainStep is how often a drain looks at what is left.
	drainStep = 50 * time.Millisecond
	// drainedStep is how often it looks when nothing was. Why not longer: who stops the
	// process has read that it is empty.
	drainedStep = 500 * time.Millisecond
	// ReleaseRate is the least number of viewers a second that a drain lets go.
	// Why not smaller: an edge with few viewers is empty at once. Why not larger:
	// they all come back somewhere else.
	ReleaseRate = 50
)

// emptying moves and releases sessions until none is left, and those that come after all.
// Publishers are asked to move once each, at once: their viewers notice nothing. Viewers go at a
// rate, in random order.
type emptying struct {
	remaining interface {
		sessions() []drainable    // by RTMP
		requests() int            // viewers over HTTP
		release(most int) (n int) // lets go viewers over HTTP
	}
	window time.Duration
	is     func(empty bool) // is told at each look
}

// drainable is a publish or play that a drain may move.
type drainable interface {
	key() any // the same at each look, and no other's
	role() event.Role
	// runs reports whether it can be moved or ended: it is past its beginning.
	runs() bool
	// move asks it to go, and ends it if it is one that can be ended. It may wait for the client.
	move()
}

// run goes on until ctx ends.
func (e *emptying) run(ctx context.Context) {
	asked := make(map[any]bool) // sessions, by key
	var rate, due float64       // viewers a second; viewers that may go now
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		publishers, viewers := split(e.remaining.sessions())
		asked = stillHere(asked, publishers, viewers)
		overHTTP := e.remaining.requests()
		if len(publishers)+len(viewers)+overHTTP == 0 {
			e.is(true)
			wait.Reset(drainedStep)
			continue
		}
		e.is(false)
		for _, s := range publishers {
			if s.runs() && !asked[s.key()] {
				asked[s.key()] = true
				go s.move() // one that takes no bytes is not waited for
			}
		}
		rate = max(rate, ReleaseRate, float64(len(viewers)+overHTTP)/max(e.window.Seconds(), 1))
		due += rate * drainStep.Seconds() * (0.5 + rand.Float64())
		rand.Shuffle(len(viewers), func(i, j int) { viewers[i], viewers[j] = viewers[j], viewers[i] })
		for _, s := range viewers {
			if due < 1 {
				break
			}
			if s.runs() && !asked[s.key()] {
				asked[s.key()] = true
				due--
				go s.move()
			}
		}
		if due >= 1 {
			due -= float64(e.remaining.release(int(due)))
		}
		due = min(due, rate*drainStep.Seconds()+1) // what could not go now is not saved up
		wait.Reset(drainStep)
	}
}

// stillHere is who was asked of those who are here.
func stillHere(asked map[any]bool, all ...[]drainable) map[any]bool {
	here := make(map[any]bool, len(asked))
	for _, sessions := range all {
		for _, s := range sessions {
			if asked[s.key()] {
				here[s.key()] = true
			}
		}
	}
	return here
}

// split sorts them. Feeds are neither: they end with what they carry.
func split(all []drainable) (publishers, viewers []drainable) {
	for _, s := range all {
		switch s.role() {
		case event.RolePublisher:
			publishers = append(publishers, s)
		case event.RoleViewer:
			viewers = append(viewers, s)
		}
	}
	return publishers, viewers
}

// remaining is what a drain of the node has yet to empty.
type remaining struct {
	n    *node
	last bool // what is carried goes, too
}

func (r remaining) sessions() []drainable {
	var all []drainable
	opening := r.n.sessions.Opening() // first: those that open meanwhile are held then
	for _, s := range append(opening, r.n.sessions.Held()...) {
		if s.Admitted() && (r.last || !s.Elsewhere()) {
			all = append(all, rtmpSession{s, r.n})
		}
	}
	return all
}

func (r remaining) requests() int { return int(r.n.drainer.requests.Load()) }

func (r remaining) release(most int) int { return r.n.play.ReleaseHTTP(most) }

// rtmpSession is a publish or play over RTMP, open or opening.
type rtmpSession struct {
	session.Held
	n *node
}

func (s rtmpSession) key() any         { return s.Key() }
func (s rtmpSession) role() event.Role { return s.Role }
func (s rtmpSession) runs() bool       { return s.Runs() }

// move asks a publisher to go on elsewhere, and a front's viewer; other viewers are ended, and
// come back elsewhere.
func (s rtmpSession) move() {
	switch {
	case s.Role == event.RolePublisher:
		s.AskToMove(s.n.elsewhere(s.Held))
	case s.Member == "" || !s.AskToMove(""):
		s.End(event.NodeStopping)
	}
}
