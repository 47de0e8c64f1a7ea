package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/internal/media/live"
	"weir/internal/stream"
)

// pull is the one pull of one stream.
type pull struct {
	p      *Pulls
	name   stream.Name
	from   live.Position // what the first viewer had
	stream *live.Stream
	ctx    context.Context
	cancel context.CancelFunc
	poke   chan struct{} // a local publisher came or went

	// Guarded by Pulls.mu.
	wants   int
	linger  *time.Timer
	running *feed // nil: none

	ready chan struct{} // closed at the first source, or when there is none
	err   error         // set before ready is closed

	// The run goroutine's own.
	fed    bool      // ready was closed without an error
	since  time.Time // when the stream last lost its source
	failed error     // why the known owner did not deliver; nil: there is none
}

func (pl *pull) release() {
	p := pl.p
	p.mu.Lock()
	defer p.mu.Unlock()
	pl.wants--
	if pl.wants > 0 || p.byName[pl.name] != pl {
		return
	}
	select {
	case <-pl.ready:
	default:
		// Nobody has seen anything of it yet: a name that was asked for and given
		// up leaves nothing behind.
		delete(p.byName, pl.name)
		pl.cancel()
		return
	}
	pl.linger = time.AfterFunc(p.o.Linger(pl.name.App), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if pl.wants == 0 && p.byName[pl.name] == pl {
			delete(p.byName, pl.name)
			pl.cancel()
		}
	})
}

func (pl *pull) local() bool {
	pl.p.mu.Lock()
	defer pl.p.mu.Unlock()
	return pl.p.local[pl.name] > 0
}

// run is the life of the pull: see the state diagram in doc.go.
func (pl *pull) run() {
	changed, stop := pl.p.o.Locator.Watch(pl.name)
	defer stop()
	defer pl.finish()
	pl.since = time.Now()
	var wait backoff
	var failed string
	var tried []Source // since a feed last ran
	for pl.ctx.Err() == nil {
		if pl.local() {
			pl.source()
			pl.sleep(changed, 0)
			pl.since = time.Now()
			continue
		}
		src, ok, err := pl.p.o.Locator.Locate(pl.ctx, pl.name, failed)
		failed, pl.failed = "", err
		if !ok || err != nil || src.Self {
			if !pl.patient(changed, err == nil && src.Self || !pl.fed && len(tried) > 0) && pl.giveUp() {
				return
			}
			continue
		}
		if !slices.Contains(tried, src) {
			// Another owner is not to blame for the last one. It may be known for a moment
			// before it has the stream. But two that fail must not be asked in turns for ever.
			wait.reset()
			tried = append(tried, src)
		}
		began := time.Now()
		err = pl.feed(src, changed)
		if pl.since.After(began) {
			tried = append(tried[:0], src)
		}
		switch {
		case errors.Is(err, errFeedEnded), errors.Is(err, errMoved):
			// The owner said so itself: look again at once. The registry's news
			// that somebody else owns the stream is here or on its way.
			wait.reset()
		case pl.since.Sub(began) > BackoffMax:
			wait.reset() // what failed before this feed ran is history
			fallthrough
		default:
			failed = src.Node
		}
		if !errors.Is(err, ErrNoStream) {
			pl.failed = err
		}
		if pl.expired() && pl.giveUp() || !pl.sleepFor(changed, wait.next()) {
			return
		}
	}
}

// source marks that the stream has a source now.
func (pl *pull) source() {
	if !pl.fed {
		pl.fed = true
		close(pl.ready)
	}
	pl.since = time.Now()
}

// patience is how long the stream may be without a publisher.
func (pl *pull) patience() time.Duration {
	if pl.fed {
		return pl.p.o.Grace(pl.name.App)
	}
	return pl.p.o.Wait(pl.name.App)
}

// expired reports whether an owner that is known has failed for too long. A
// first viewer is given a moment even if it is not to wait for publishers: the
// owner may just be accepting, or dying, and the next one be known soon.
func (pl *pull) expired() bool { return time.Since(pl.since) >= max(pl.patience(), settleTime) }

// patient waits for a publisher to appear, as long as the viewers are to be
// held; false when that is over. One may be about to: it is being accepted by this very node, which owns the stream
// already; or its first viewers have come while the owner dies, whose place is being taken.
func (pl *pull) patient(changed <-chan struct{}, soon bool) bool {
	limit := pl.patience()
	if soon {
		limit = max(limit, settleTime)
	}
	left := limit - time.Since(pl.since)
	if left <= 0 {
		return false
	}
	// News comes by watch; the slow look again is for news that was lost with the
	// store.
	return pl.sleep(changed, min(left, time.Second))
}

// sleep waits for news, or for d if it is not 0; false when the pull is over.
func (pl *pull) sleep(changed <-chan struct{}, d time.Duration) bool {
	var after <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-pl.ctx.Done():
		return false
	case <-changed:
	case <-pl.poke:
	case <-after:
	}
	return true
}

func (pl *pull) sleepFor(changed <-chan struct{}, d time.Duration) bool {
	if d == 0 {
		return pl.ctx.Err() == nil
	}
	return pl.sleep(changed, d)
}

// giveUp ends the stream for those who still watch, and reports true; or false,
// if a publisher has just come to this node. Under the lock, so that neither that
// publisher nor the viewers of a next pull are told of this one's end.
func (pl *pull) giveUp() bool {
	p := pl.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if pl.ctx.Err() != nil {
		return true // nobody watches, or the node stops: not the stream's end
	}
	if p.local[pl.name] > 0 {
		return false
	}
	delete(p.byName, pl.name)
	if pl.fed {
		pl.stream.End(live.ReasonUnpublished)
	}
	return true
}

// finish gives back what the pull holds, and tells those who wait for its start.
func (pl *pull) finish() {
	pl.p.mu.Lock()
	if pl.p.byName[pl.name] == pl {
		delete(pl.p.byName, pl.name)
	}
	if pl.linger != nil {
		pl.linger.Stop()
	}
	pl.p.mu.Unlock()
	pl.cancel()
	if !pl.fed {
		switch pl.err = ErrNotFound; {
		case pl.p.ctx.Err() != nil:
			pl.err = ErrPeersClosed
		case pl.failed != nil:
			pl.err = fmt.Errorf("%w: %w", ErrUnreachable, pl.failed)
		}
		close(pl.ready)
	}
	pl.stream.Release()
}
