package fleet

import (
	"sync"
	"sync/atomic"
	"time"
)

// Counters are what this node's sessions at one backend count. All are safe to use
// at any time, also after the backend is gone.
type Counters struct {
	Publishers atomic.Int64 // now
	Viewers    atomic.Int64 // now; everything that does not publish
	Most       atomic.Int64 // the most sessions at a time
	Total      atomic.Int64 // sessions since it was added
	In         atomic.Int64 // bytes from clients to the backend; of a [Counters.Publisher] as of the last [Counters.Settle]
	Out        atomic.Int64 // bytes from the backend to clients
	Failures   atomic.Int64 // dials and sessions that failed by the backend's fault
	InARow     atomic.Int64 // of those, since the last success
	Moved      atomic.Int64 // sessions that went on elsewhere

	mu      sync.Mutex
	own     []*publisher
	ingress float64 // bits per second, of those of own that are there and have been measured
	flowing int     // how many these are
	folded  int64   // bytes of In that came from own
}

// publisher is a session that is measured by itself: what it sends is known while it is there, and is gone with it. A rate
// of all together shows for up to two seconds who has left, and in part who has come.
type publisher struct {
	in     atomic.Int64 // bytes
	folded int64        // of them in Counters.In
	marked int64        // of them as of the last sample
	seen   bool         // by a sample: what comes from now on is measured
	bps    float64      // 0 until it is
	ended  bool
}

// Publisher counts a publisher that begins, as [Counters.Open] does, whose bytes to the backend are counted in what
// it returns.
func (c *Counters) Publisher() (in *atomic.Int64, end func()) {
	done := c.Open(true)
	p := &publisher{}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = append(c.own, p)
	return &p.in, func() {
		c.mu.Lock()
		p.ended = true
		c.sum()
		c.mu.Unlock()
		done()
	}
}

// sample measures each publisher over the time since the last sample.
func (c *Counters) sample(dt time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fold()
	keep := c.own[:0]
	for _, p := range c.own {
		if p.ended {
			continue
		}
		keep = append(keep, p)
		n := p.folded - p.marked
		p.marked = p.folded
		if now := float64(n) * 8 / dt.Seconds(); dt > 0 && p.seen {
			if p.bps == 0 {
				p.bps = now
			}
			p.bps += rateBlend * (now - p.bps)
		}
		p.seen = true
	}
	clear(c.own[len(keep):])
	c.own = keep
	c.sum()
}

// Settle brings In up to date.
func (c *Counters) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fold()
}

// fold needs c.mu.
func (c *Counters) fold() {
	for _, p := range c.own {
		n := p.in.Load()
		c.In.Add(n - p.folded)
		c.folded += n - p.folded
		p.folded = n
	}
}

// sum needs c.mu.
func (c *Counters) sum() {
	c.ingress, c.flowing = 0, 0
	for _, p := range c.own {
		if !p.ended && p.bps > 0 {
			c.ingress += p.bps
			c.flowing++
		}
	}
}

// publishing is what the publishers that are measured by themselves send, how many they are, and how many bytes
// of In have come from them.
func (c *Counters) publishing() (bps float64, flowing int, folded int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ingress, c.flowing, c.folded
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
