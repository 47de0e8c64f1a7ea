package front

import (
	"context"
	"errors"
	"time"

	"weir/internal/media/session"
	"weir/internal/ops/event"
)

const (
	// keyWait is how long a move waits for the next key frame. Why not larger: a
	// stream without pictures has none. Why not smaller: ten seconds between key
	// frames is what limits.gop_time allows for.
	keyWait = 10 * time.Second
	// lingerTime is how long a server that is left has the stream after the next key
	// frame. Why not smaller: every front's viewers have to get that frame from
	// elsewhere first. Why not larger: it is sent twice meanwhile.
	lingerTime = 500 * time.Millisecond
)

// move opens the next push, trying again until the deadline: not with the failed server at first,
// and then with that too if there is nobody else, since it may be back.
func (c *carried) move(ctx context.Context, failed string) error {
	ctx, cancel := context.WithTimeout(ctx, moveDeadline)
	defer cancel()
	var waits waits
	for s := leaving(failed); ; s.leaves = "" {
		err := c.open(ctx, s)
		var r *session.Rejection
		if err == nil || errors.As(err, &r) && r.Reason == event.Busy {
			return err // another publisher has the stream now: not to be fought over
		}
		if !waits.wait(ctx) {
			return err
		}
	}
}

// wish is somebody's that a carried publisher moves.
type wish struct {
	ctx    context.Context // ends with the wish
	server string          // which it is to leave
	gentle bool
	done   chan struct{} // closed when it has moved, or will not
}

// evacuate is guest.
func (c *carried) evacuate(ctx context.Context, server string, gentle bool) {
	w := &wish{ctx: ctx, server: server, gentle: gentle, done: make(chan struct{})}
	select {
	case c.wishes <- w:
	case <-c.done:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-w.done:
	case <-c.done:
	case <-ctx.Done():
	}
}

func (c *carried) publishes() bool { return true }

// waits is guest.
func (c *carried) waits() bool     { return true }
func (c *carried) stays(bool) bool { return false }

// linger keeps a push going to the server that a stream leaves until viewers there have had
// a key frame from the next one to go on with, which they look for as soon as the registry names that.
func (c *carried) linger(ctx context.Context) {
	t := time.NewTimer(keyWait)
	defer t.Stop()
	select {
	case <-c.keys.next():
		t.Reset(lingerTime)
	case <-t.C:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// atKey waits for the publisher's next key frame, or until that has been waited for
// long enough; false if w is over, or the push has ended.
func (c *carried) atKey(w *wish, ended <-chan struct{}) bool {
	if !w.gentle {
		return true
	}
	late := time.NewTimer(keyWait)
	defer late.Stop()
	select {
	case <-c.keys.next():
	case <-late.C:
	case <-w.ctx.Done():
		return false
	case <-ended:
		return false
	}
	return true
}
