package front

import (
	"context"
	"slices"
	"time"
)

const (
	// moveTime bounds one move of an evacuation, so that one session that cannot move
	// does not hold up the others.
	moveTime = keyWait + patience
	// arriveTime is how long a server that is gone may still get sessions: those that were sent there before. Why not
	// shorter: a viewer's move takes as long as any, and arrives at its end. Why not longer: each such server has a goroutine until then.
	arriveTime = moveTime
	// atOnce is how many sessions leave a server together that is down.
	atOnce = 16
)

// Evacuate moves the carried sessions of a foreign server that takes no more, in the
// background: gently, one after another and each at a key frame; otherwise many at a
// time, publishers at once, and viewers as soon as they have a picture elsewhere. Publishers go
// first: their viewers find the stream where it is then.
// What is spliced stays until its server ends it; viewers, until their stream is elsewhere, or
// a server that is down has fallen silent.
func (f *Front) Evacuate(server string, gentle bool) { f.evacuation(server, gentle, false) }

// Gone is Evacuate of a server that has been removed. It ends by itself when nobody has been
// there for a while: names come and go, and most do not come back.
func (f *Front) Gone(server string, gentle bool) { f.evacuation(server, gentle, true) }

func (f *Front) evacuation(server string, gentle, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.evacuations[server]; old != nil {
		old()
	}
	ctx, cancel := context.WithCancel(f.ctx)
	f.evacuations[server] = cancel
	go f.evacuate(ctx, server, gentle, gone)
}

// evacuated forgets an evacuation, unless another has taken its place.
func (f *Front) evacuated(ctx context.Context, server string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() == nil {
		f.evacuations[server]()
		delete(f.evacuations, server)
	}
}

// Stay ends the evacuation of a server that takes sessions again. What has moved
// stays where it is.
func (f *Front) Stay(server string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cancel := f.evacuations[server]; cancel != nil {
		cancel()
		delete(f.evacuations, server)
	}
}

// evacuate goes on until Stay, or of a server that is gone until it is empty: who was on the way
// there when it began comes too.
func (f *Front) evacuate(ctx context.Context, server string, gentle, gone bool) {
	room := make(chan struct{}, 1)
	if !gentle {
		room = make(chan struct{}, atOnce)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := time.Now(); ctx.Err() == nil; { // when somebody was there
		all := f.guestsAt(server, gentle)
		if len(all) > 0 {
			last = time.Now()
		}
		if gone && time.Since(last) > arriveTime {
			f.evacuated(ctx, server)
			return
		}
		f.evacuatePrompt(ctx, server, gentle)
		for _, g := range slices.DeleteFunc(all, func(g guest) bool { return !g.waits() }) {
			for placed := false; !placed; {
				select {
				case room <- struct{}{}:
					placed = true
				case <-tick.C:
					f.evacuatePrompt(ctx, server, gentle)
				case <-ctx.Done():
					return
				}
			}
			go func() {
				defer func() { <-room }()
				mctx, cancel := context.WithTimeout(ctx, moveTime)
				defer cancel()
				g.evacuate(mctx, server, gentle)
			}()
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// evacuatePrompt is the turn of those who need no place to wait in, and must not wait for who does.
func (f *Front) evacuatePrompt(ctx context.Context, server string, gentle bool) {
	for _, g := range f.guestsAt(server, gentle) {
		if !g.waits() {
			g.evacuate(ctx, server, gentle)
		}
	}
}

// guestsAt returns those at a server that an evacuation concerns, publishers first.
func (f *Front) guestsAt(server string, gentle bool) []guest {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]guest, 0, len(f.guests[server]))
	for _, first := range []bool{true, false} {
		for g := range f.guests[server] {
			if g.publishes() == first && !g.stays(gentle) {
				all = append(all, g)
			}
		}
	}
	return all
}
