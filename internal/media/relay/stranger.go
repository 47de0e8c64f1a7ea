package relay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"weir/rtmp"
)

// DialStranger connects to a server that is no member, as the client whose connect
// it is given, and returns the connection ready for streams. A refusal is a
// *[RefusedError], or [ErrHungUp]. It takes DialTimeout at most. The mark goes with the handshake; nil: none.
func DialStranger(ctx context.Context, dial Dialer, addr string, c *rtmp.Connect, mark []byte) (*rtmp.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	nc, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, nc, c, mark, nil)
	if err == nil {
		return conn, nil
	}
	nc.Close()
	var refused *rtmp.StatusError
	switch {
	case errors.As(err, &refused):
		return nil, &RefusedError{Code: refused.Status.Code, Description: refused.Status.Description}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, err
}

// WatchStranger is [WatchAlive] with a server of which it is not known whether it
// answers pings: pongs counts its answers, and before the first one its silence says
// nothing. What does not answer pings is given up when it takes no more bytes. each is
// called at every ping, as there.
func WatchStranger(conn pinged, pongs *atomic.Int64, done <-chan struct{}, each func(now time.Time) bool) error {
	t := newTicks()
	defer t.Stop()
	for now := time.Now(); pongs.Load() == 0; {
		if each != nil && each(now) {
			return nil
		}
		if !unread(conn) {
			if err := conn.Ping(uint32(now.UnixMilli())); err != nil {
				return fmt.Errorf("%w: %w", ErrPeerSilent, err)
			}
		}
		select {
		case <-done:
			return nil
		case now = <-t.C:
			t.next(time.Now())
		}
	}
	return WatchAlive(conn, done, each)
}
