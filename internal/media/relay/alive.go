package relay

import (
	"fmt"
	"time"

	"weir/rtmp"
)

// pinged is a connection, as it is watched.
type pinged interface {
	BytesIn() int64
	Ping(stamp uint32) error
}

// rider is one whose pings can go along with what it sends soon; false if nothing is.
type rider interface{ ride(stamp uint32) bool }

// reader is one that is not read from at times, because what came is still to be passed on. Nothing
// comes in then whoever is at the other end, nor would a ping's answer.
type reader interface{ Reading() bool }

var _ pinged = (*rtmp.ClientConn)(nil)

// unread reports whether nobody reads from conn now.
func unread(conn pinged) bool {
	r, ok := conn.(reader)
	return ok && !r.Reading()
}

// WatchAlive pings conn until done is closed, and returns [ErrPeerSilent] when
// nothing has come in for [PeerSilence]. each is called at every ping; true ends
// the watch without an error. A ping's answer shows as bytes that came in, so any
// traffic counts. While conn has a method Reading() bool that says no, silence is not counted.
func WatchAlive(conn pinged, done <-chan struct{}, each func(now time.Time) bool) error {
	t := newTicks()
	defer t.Stop()
	heard, at := conn.BytesIn(), time.Now()
	awake := at
	pinging := make(chan struct{}, 1)
	broken := make(chan error, 1)
	for {
		select {
		case <-done:
			return nil
		case err := <-broken:
			// It may well send, but it takes nothing.
			return fmt.Errorf("%w: %w", ErrPeerSilent, err)
		case now := <-t.C:
			t.next(time.Now())
			// When this process has stood still, what the peer sent meanwhile is still to
			// be read.
			still := unread(conn)
			if n := conn.BytesIn(); still || n != heard || now.Sub(awake) > PeerSilence/2 {
				heard, at = n, now
			}
			awake = now
			if now.Sub(at) >= PeerSilence {
				return ErrPeerSilent
			}
			if each != nil && each(now) {
				return nil
			}
			if still {
				continue
			}
			if r, ok := conn.(rider); ok && r.ride(uint32(now.UnixMilli())) {
				continue
			}
			// Not here: a write waits for as long as the peer takes nothing. One at a
			// time is enough to wake whoever is there.
			select {
			case pinging <- struct{}{}:
				go func() {
					if err := conn.Ping(uint32(now.UnixMilli())); err != nil {
						broken <- err
					} else {
						<-pinging
					}
				}()
			default:
			}
		}
	}
}
