package fleet

import "sync/atomic"

// Counters are what this node's sessions at one backend count. All are safe to use
// at any time, also after the backend is gone.
type Counters struct {
	Publishers atomic.Int64 // now
	Viewers    atomic.Int64 // now; everything that does not publish
	Most       atomic.Int64 // the most sessions at a time
	Total      atomic.Int64 // sessions since it was added
	In         atomic.Int64 // bytes from clients to the backend
	Out        atomic.Int64 // bytes from the backend to clients
	Failures   atomic.Int64 // dials and sessions that failed by the backend's fault
	InARow     atomic.Int64 // of those, since the last success
	Moved      atomic.Int64 // sessions that went on elsewhere
}

// Sessions is how many there are now.
func (c *Counters) Sessions() int64 { return c.Publishers.Load() + c.Viewers.Load() }

// Open counts a session that begins at the backend; call what it returns once at its end.
func (c *Counters) Open(publish bool) (end func()) {
	now := &c.Viewers
	if publish {
		now = &c.Publishers
	}
	now.Add(1)
	c.Total.Add(1)
	n := c.Sessions()
	for most := c.Most.Load(); n > most && !c.Most.CompareAndSwap(most, n); {
		most = c.Most.Load()
	}
	return func() { now.Add(-1) }
}
