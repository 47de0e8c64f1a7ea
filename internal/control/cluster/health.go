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

// note reports whether the store is down now, since when, and whether that is news. An answer
// of any kind, a refusal too, means that it is up.
func (h *health) note(err error, now time.Time) (down bool, since time.Time, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	down = errors.Is(err, store.ErrUnavailable)
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
