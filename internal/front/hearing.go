package front

import (
	"sync/atomic"
	"time"

	"weir/internal/media/relay"
)

// hearing is when a server was last heard, as far as anybody listened.
type hearing struct {
	bytes int64        // the watching goroutine's own
	at    atomic.Int64 // Unix nanoseconds
}

// note is told of the time now and then.
func (l *leg) note(now time.Time) (over bool) {
	h := &l.foreign.hearing
	if n := l.BytesIn(); n != h.bytes || !l.Reading() {
		h.bytes = n
		h.at.Store(now.UnixNano())
	}
	return false
}

// silent reports whether a foreign server says nothing: also one that answers no pings, whose
// silence alone is no reason to leave it.
func (l *leg) silent() bool {
	return time.Duration(time.Now().UnixNano()-l.foreign.hearing.at.Load()) > relay.PeerSilence
}
