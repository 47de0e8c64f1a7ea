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
	// releaseRate is the least number of viewers a second that a drain lets go.
	// Why not smaller: an edge with few viewers is empty at once. Why not larger:
	// they all come back somewhere else.
	releaseRate = 50
)

// emptying moves and releases sessions until none is left, and those that come after all.
// Publishers are asked to move once each, at once: their viewers notice nothing. Viewers go at a
// rate, in random order.
type emptying struct {
	house interface {
		guests() []guest
		requests() int            // viewers over HTTP
		release(most int) (n int) // lets go viewers over HTTP
	}
	window time.Duration
	is     func(empty bool) // is told at each look
}

// guest is one publish or play.
type guest interface {
	key() any // the same at each look, and no other's
	role() event.Role
	// runs reports whether it can be moved or ended: it is past its beginning.
	runs() bool
	// move asks it to go, and ends it if it is one that can be ended. It may wait for the client.
	move()
}

// run goes on until ctx ends.
func (e *emptying) run(ctx context.Context) {
	asked := make(map[any]bool) // guests, by key
	var rate, due float64       // viewers a second; viewers that may go now
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		publishers, viewers := split(e.house.guests())
		asked = stillHere(asked, publishers, viewers)
		overHTTP := e.house.requests()
		if len(publishers)+len(viewers)+overHTTP == 0 {
			e.is(true)
			wait.Reset(drainedStep)
			continue
		}
		e.is(false)
		for _, g := range publishers {
			if g.runs() && !asked[g.key()] {
				asked[g.key()] = true
				go g.move() // one that takes no bytes is not waited for
			}
		}
		rate = max(rate, releaseRate, float64(len(viewers)+overHTTP)/max(e.window.Seconds(), 1))
		due += rate * drainStep.Seconds() * (0.5 + rand.Float64())
		rand.Shuffle(len(viewers), func(i, j int) { viewers[i], viewers[j] = viewers[j], viewers[i] })
		for _, g := range viewers {
			if due < 1 {
				break
			}
			if g.runs() && !asked[g.key()] {
				asked[g.key()] = true
				due--
				go g.move()
			}
		}
		if due >= 1 {
			due -= float64(e.house.release(int(due)))
		}
		due = min(due, rate*drainStep.Seconds()+1) // what could not go now is not saved up
		wait.Reset(drainStep)
	}
}

// stillHere is who was asked of those who are here.
func stillHere(asked map[any]bool, all ...[]guest) map[any]bool {
	here := make(map[any]bool, len(asked))
	for _, guests := range all {
		for _, g := range guests {
			if asked[g.key()] {
				here[g.key()] = true
			}
		}
	}
	return here
}

// split sorts them. Feeds are neither: they end with what they carry.
func split(all []guest) (publishers, viewers []guest) {
	for _, g := range all {
		switch g.role() {
		case event.RolePublisher:
			publishers = append(publishers, g)
		case event.RoleViewer:
			viewers = append(viewers, g)
		}
	}
	return publishers, viewers
}

// guestSession is a session's publish or play.
type guestSession struct {
	session.Held
	n *node
}

func (g guestSession) key() any         { return g.Key() }
func (g guestSession) role() event.Role { return g.Role }
func (g guestSession) runs() bool       { return g.Runs() }

// move asks a publisher to go on elsewhere, and a front's viewer; other viewers are ended, and
// come back elsewhere.
func (g guestSession) move() {
	switch {
	case g.Role == event.RolePublisher:
		g.AskToMove(g.n.elsewhere(g.Held))
	case g.Member == "" || !g.AskToMove(""):
		g.End(event.NodeStopping)
	}
}
