package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
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

	// Believe checks the epoch under which another node offers a stream, before it fences
	// whoever comes with a lower one. It takes a moment at most. Nil: all are believed.
	Believe func(ctx context.Context, name stream.Name, e stream.Epoch) error

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

// Fed is since when nothing has come of a stream that is pulled here; false if no feed of it runs.
func (p *Pulls) Fed(name stream.Name) (silent time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pl := p.byName[name]
	if pl == nil || pl.running == nil {
		return 0, false
	}
	return time.Since(time.Unix(0, pl.running.last.Load())), true
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

// Want holds the stream for one viewer and returns when it has a source. from is
// what the viewer has of it already: a pull that begins with this viewer fetches what comes after. It
// fails with ErrNotFound or ErrUnreachable, or when ctx ends, and then holds nothing.
func (p *Pulls) Want(ctx context.Context, name stream.Name, from live.Position) (*Want, error) {
	p.mu.Lock()
	if p.ctx.Err() != nil {
		p.mu.Unlock()
		return nil, ErrPeersClosed
	}
	pl := p.byName[name]
	if pl == nil {
		pl = &pull{p: p, name: name, from: from, stream: p.o.Hub.Open(name), ready: make(chan struct{}), poke: make(chan struct{}, 1)}
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
