package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// ErrNotFound: nobody publishes the stream, and the viewer is not to wait.
var ErrNotFound = errors.New("relay: nobody publishes this stream")

// ErrUnreachable: somebody publishes the stream, or did, and it cannot be had from
// there now.
var ErrUnreachable = errors.New("relay: the stream's owner does not deliver")

// Source is where a stream can be pulled from.
type Source struct {
	Node  string
	Addr  string // RTMP address, host:port
	Epoch stream.Epoch
	Self  bool // this node owns it
}

// Locator knows who publishes what. Its answers may be old; the feed's own epoch
// decides.
type Locator interface {
	// Locate returns the owner of a stream; ok is false if nobody publishes it.
	// failed is the node that has just failed as its source, if one has.
	Locate(ctx context.Context, name stream.Name, failed string) (s Source, ok bool, err error)
	// Watch returns a channel that receives when the stream's owner may have
	// changed, until stop is called.
	Watch(name stream.Name) (changed <-chan struct{}, stop func())
}

// PullOptions are the parts and limits of Pulls.
type PullOptions struct {
	Hub     *live.Hub
	Peers   *Peers
	Locator Locator
	Emit    event.Sink

	// Linger is how long a pull outlives its last viewer, per application.
	Linger func(app string) time.Duration
	// Grace is how long viewers are kept without a publisher, per application.
	Grace func(app string) time.Duration
	// Wait is how long a viewer is held for a stream that nobody publishes yet,
	// per application; 0 = the answer is ErrNotFound at once.
	Wait func(app string) time.Duration
	// Silence ends a feed that brings nothing for so long.
	Silence time.Duration

	// OnPull tells of the start (true) and end of a pull from another node.
	OnPull func(name stream.Name, on bool)
}

// Pulls keeps one pull a stream for as long as somebody here wants it.
type Pulls struct {
	o      PullOptions
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	byName map[stream.Name]*pull
	local  map[stream.Name]int // streams published on this node
}

// NewPulls returns Pulls with nothing pulled.
func NewPulls(o PullOptions) *Pulls {
	ctx, cancel := context.WithCancel(context.Background())
	return &Pulls{o: o, ctx: ctx, cancel: cancel, byName: make(map[stream.Name]*pull), local: make(map[stream.Name]int)}
}

// Len is how many streams are held for viewers here.
func (p *Pulls) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byName)
}

// Close ends every pull and waits for them.
func (p *Pulls) Close() {
	p.mu.Lock() // no Want may be half-way in
	p.cancel()
	p.mu.Unlock()
	p.wg.Wait()
}

// Want is one viewer's hold on a stream.
type Want struct {
	pull *pull
	once sync.Once
}

// Stream is what the viewer joins.
func (w *Want) Stream() *live.Stream { return w.pull.stream }

// Release gives the hold back. It may be repeated.
func (w *Want) Release() { w.once.Do(w.pull.release) }

// Want holds the stream for one viewer and returns when it has a source. It
// fails with ErrNotFound or ErrUnreachable, or when ctx ends, and then holds nothing.
func (p *Pulls) Want(ctx context.Context, name stream.Name) (*Want, error) {
	p.mu.Lock()
	if p.ctx.Err() != nil {
		p.mu.Unlock()
		return nil, ErrPeersClosed
	}
	pl := p.byName[name]
	if pl == nil {
		pl = &pull{p: p, name: name, stream: p.o.Hub.Open(name), ready: make(chan struct{}), poke: make(chan struct{}, 1)}
		pl.ctx, pl.cancel = context.WithCancel(p.ctx)
		pl.wants = 1
		p.byName[name] = pl
		p.wg.Go(pl.run)
	} else {
		pl.wants++
		if pl.linger != nil {
			pl.linger.Stop()
			pl.linger = nil
		}
	}
	p.mu.Unlock()
	w := &Want{pull: pl}
	select {
	case <-pl.ready:
		if pl.err != nil {
			w.Release()
			return nil, pl.err
		}
		return w, nil
	case <-ctx.Done():
		w.Release()
		return nil, context.Cause(ctx)
	}
}

// LocalStarted and LocalEnded tell that a publisher of the stream has come to,
// or left, this very node.
func (p *Pulls) LocalStarted(name stream.Name) { p.localChange(name, 1) }
func (p *Pulls) LocalEnded(name stream.Name)   { p.localChange(name, -1) }

func (p *Pulls) localChange(name stream.Name, d int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.local[name] += d; p.local[name] == 0 {
		delete(p.local, name)
	}
	if pl := p.byName[name]; pl != nil {
		select {
		case pl.poke <- struct{}{}:
		default:
		}
	}
}

// pull is the one pull of one stream.
type pull struct {
	p      *Pulls
	name   stream.Name
	stream *live.Stream
	ctx    context.Context
	cancel context.CancelFunc
	poke   chan struct{} // a local publisher came or went

	// Guarded by Pulls.mu.
	wants  int
	linger *time.Timer

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
			if !pl.patient(changed) && pl.giveUp() {
				return
			}
			continue
		}
		began := time.Now()
		switch err = pl.feed(src, changed); {
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
// held; false when that is over.
func (pl *pull) patient(changed <-chan struct{}) bool {
	left := pl.patience() - time.Since(pl.since)
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

// errMoved: another node owns the stream now.
var errMoved = errors.New("relay: the stream has moved")

// open starts a feed from a source. News that the stream is elsewhere ends the
// attempt: a node that has died answers nothing, for longer than viewers like.
func (pl *pull) open(src Source, changed <-chan struct{}) (f *feed, conn *peerConn, err error) {
	ctx, cancel := context.WithTimeout(pl.ctx, DialTimeout+AnswerTimeout)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, conn, err = pl.dial(ctx, src)
	}()
	moved := false
	for {
		select {
		case <-done:
			if err != nil && moved {
				err = errMoved
			}
			return f, conn, err
		case <-changed:
		case <-pl.poke:
		}
		if pl.elsewhere(src.Addr, src.Epoch) {
			moved = true
			cancel()
		}
	}
}

func (pl *pull) dial(ctx context.Context, src Source) (*feed, *peerConn, error) {
	conn, err := pl.p.o.Peers.get(ctx, src.Addr)
	if err != nil {
		return nil, nil, err
	}
	f := newFeed(pl.stream)
	if err = conn.open(ctx, f, pl.name); err == nil {
		select {
		case <-f.started:
			return f, conn, nil
		case <-f.ended:
			err = f.err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	conn.closeFeed(f)
	return nil, nil, err
}

// elsewhere reports whether the stream is to be had from this node's own
// publisher, from another address, or under a higher epoch.
func (pl *pull) elsewhere(addr string, epoch stream.Epoch) bool {
	if pl.local() {
		return true
	}
	now, ok, err := pl.p.o.Locator.Locate(pl.ctx, pl.name, "")
	return err == nil && ok && (now.Addr != addr || epoch.Less(now.Epoch))
}

// feed pulls from one source until that ends, and says why.
func (pl *pull) feed(src Source, changed <-chan struct{}) (err error) {
	f, conn, err := pl.open(src, changed)
	if err != nil {
		return err
	}
	defer conn.closeFeed(f)
	pl.source()
	began := time.Now()
	pl.note(true)
	defer func() {
		pl.since = time.Now()
		pl.note(false)
		pl.p.o.Emit.Emit(event.PullEnded{Name: pl.name, From: src.Node, Reason: feedReason(err), Err: err, BytesIn: f.bytes.Load(), Dur: time.Since(began)})
	}()
	pl.p.o.Emit.Emit(event.PullStarted{Name: pl.name, From: src.Node, Epoch: f.facts.Epoch})

	silent := time.NewTimer(pl.p.o.Silence)
	defer silent.Stop()
	for {
		select {
		case <-pl.ctx.Done():
			return context.Cause(pl.ctx)
		case <-f.ended:
			return f.err
		case <-silent.C:
			left := pl.p.o.Silence - time.Since(time.Unix(0, f.last.Load()))
			if left <= 0 {
				return ErrPeerSilent
			}
			silent.Reset(left)
		case <-pl.poke:
			if pl.local() {
				return errMoved
			}
		case <-changed:
			now, ok, err := pl.p.o.Locator.Locate(pl.ctx, pl.name, "")
			if err == nil && ok && f.facts.Epoch.Less(now.Epoch) {
				return errMoved
			}
		}
	}
}

func (pl *pull) note(on bool) {
	if pl.p.o.OnPull != nil {
		pl.p.o.OnPull(pl.name, on)
	}
}

func feedReason(err error) event.Reason {
	var wire *rtmp.Error
	switch {
	case errors.As(err, &wire):
		return event.Reason(wire.Reason)
	case errors.Is(err, context.Canceled):
		return event.NobodyWatching
	case errors.Is(err, errMoved):
		return event.OwnerChanged
	case errors.Is(err, errFeedEnded):
		return event.Unpublished
	case errors.Is(err, ErrPeerSilent):
		return event.SourceSilent
	case errors.Is(err, live.ErrStale), errors.Is(err, live.ErrFenced):
		return event.StaleEpoch
	}
	return event.SourceLost
}
