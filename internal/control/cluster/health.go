package cluster

import (
	"errors"
	"sync"
	"time"

	"weir/internal/control/store"
)

// health is what the last calls said about the store.
type health struct {
	mu    sync.Mutex
	down  bool
	since time.Time
	err   error
}

// away reports whether an error means that nothing can be had of the store at the moment: it does not
// answer, or refuses this node, whose password or rights somebody is changing.
func away(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrDenied)
}

// note reports whether the store is down now, since when, and whether that is news. An answer
// of any kind means that it is up; one that refused this node, only an answer to a write: it may be let read.
func (h *health) note(err error, wrote bool, now time.Time) (down bool, since time.Time, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	down = away(err)
	if !down && !wrote && errors.Is(h.err, store.ErrDenied) {
		return true, h.since, false
	}
	changed, since = down != h.down, h.since
	if changed {
		h.down, h.since = down, now
	}
	h.err = err
	return down, since, changed
}

func (h *health) isDown() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down
}

// downSince returns when the store was noticed to be away; zero: it is not.
func (h *health) downSince() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.down {
		return time.Time{}
	}
	return h.since
}

func (h *health) lastError() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// recently reports whether the store is away, or was less than rememberFor ago.
func (h *health) recently(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down || h.err == nil && !h.since.IsZero() && now.Sub(h.since) < rememberFor
}
