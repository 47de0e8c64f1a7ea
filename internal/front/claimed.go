package front

import (
	"time"

	"weir/internal/media/live"
	"weir/internal/stream"
)

// hold notes that c has the claim of its stream; drop is the opposite.
func (f *Front) hold(c *carried) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claimed[c.p.Name] = c
}

func (f *Front) drop(c *carried) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claimed[c.p.Name] == c { // a newcomer may have taken over
		delete(f.claimed, c.p.Name)
	}
}

// Silence is how long nothing has come from the publisher of a stream that this front
// owns; false if it owns none of that name.
func (f *Front) Silence(name stream.Name) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.claimed[name]
	if c == nil {
		return 0, false
	}
	if c.quiet != nil {
		return c.quiet(), true
	}
	return c.silence.lasts(), true
}

// Claimed is one stream that this front owns for a foreign server.
type Claimed struct {
	Claim Claim
	Info  live.Info
}

// Claimed returns the carried streams that this front owns.
func (f *Front) Claimed() []Claimed {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Claimed, 0, len(f.claimed))
	for _, c := range f.claimed {
		if s := c.shown.Load(); s != nil {
			all = append(all, Claimed{c.held, s.Info()})
		}
	}
	return all
}
