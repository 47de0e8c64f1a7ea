package relay

import (
	"context"
	"errors"
	"time"

	"weir/internal/media/live"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

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
	from := pl.stream.Position()
	if from.IsZero() {
		from = pl.from
	}
	f := newFeed(pl.stream, from, pl.believe)
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
	pl.runs(f)
	defer func() {
		pl.since = time.Now()
		pl.runs(nil)
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

func (pl *pull) believe(e stream.Epoch) error {
	if pl.p.o.Believe == nil {
		return nil
	}
	return pl.p.o.Believe(pl.ctx, pl.name, e)
}

// runs notes the feed that runs now, nil if none does, and tells of it.
func (pl *pull) runs(f *feed) {
	pl.p.mu.Lock()
	pl.running = f
	pl.p.mu.Unlock()
	if pl.p.o.OnPull != nil {
		pl.p.o.OnPull(pl.name, f != nil)
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
	case errors.Is(err, errForged):
		return event.ForgedEpoch
	case errors.Is(err, live.ErrStale), errors.Is(err, live.ErrFenced):
		return event.StaleEpoch
	}
	return event.SourceLost
}
