package health

import (
	"context"
	"strconv"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/fleet/pace"
	"weir/internal/ops/event"
	"weir/internal/trail"
	"weir/rtmp"
)

// Options are a Checker's parts.
type Options struct {
	Backends *fleet.Backends
	Dial     Dialer
	Emit     event.Sink // told of states that change
	// Own tells this front, and those it works with, to see what leads back to them; nil: nobody looks.
	Own func(trail.ID) bool
}

// Checker checks all backends of a registry.
type Checker struct {
	o       Options
	pace    *pace.Pacer
	changes *fleet.Changes
	stop    chan struct{}
	done    sync.WaitGroup

	mu      sync.Mutex
	targets map[string]*target // by name
}

// target is one backend. Checker.mu guards it.
type target struct {
	job     string // its ID, as the pacer's name
	backend fleet.Backend
	tracker tracker
	asked   time.Time // when the last check began
	accused time.Time // when a session last failed there
	phased  bool      // the first interval was of random length
	front   trail.ID  // who it said it is, if it is a front; else zero
}

// New returns a Checker that runs until Close.
func New(o Options) *Checker {
	c := &Checker{o: o, pace: pace.New(maxChecks), changes: o.Backends.Changes(), stop: make(chan struct{}), targets: map[string]*target{}}
	o.Backends.OnEvidence(c.evidence)
	c.done.Go(func() { c.changes.Follow(c.stop, c.changed) })
	return c
}

// Close ends all checks. What the registry says of them stays.
func (c *Checker) Close() {
	c.o.Backends.OnEvidence(func(string, error) {})
	close(c.stop)
	c.done.Wait()
	c.changes.Close()
	c.pace.Close()
}

// changed begins, changes or ends the checks of a backend.
func (c *Checker) changed(ch *fleet.Change) {
	s := &ch.Status
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[s.Name]
	job := strconv.FormatUint(s.ID, 10)
	if ch.What.Has(fleet.Removed) {
		if t != nil && t.job == job {
			c.end(t)
		}
		return
	}
	if t != nil && t.job != job { // another of the same name came before this one's end was told
		c.end(t)
		t = nil
	}
	k := filled(s.Backend.Check)
	switch {
	case s.Operator == fleet.Maint || k.Kind == fleet.CheckNone:
		if t != nil {
			c.end(t)
		}
		if s.Health.State != fleet.HealthUnknown {
			c.o.Backends.SetHealth(s.Name, fleet.Health{})
		}
	case t == nil:
		t = &target{job: job, backend: s.Backend, tracker: tracker{rise: k.Rise, fall: k.Fall}}
		c.targets[s.Name] = t
		c.pace.Add(job, pace.Phase(firstWithin), func(ctx context.Context) time.Duration { return c.check(ctx, t) })
	case ch.What.Has(fleet.Described):
		t.backend = s.Backend
		t.tracker.rise, t.tracker.fall = k.Rise, k.Fall
		t.asked = time.Time{}
		c.pace.Soon(job, 0)
	}
}

// end needs c.mu.
func (c *Checker) end(t *target) {
	c.pace.Remove(t.job)
	delete(c.targets, t.backend.Name)
}

// check asks a backend once and returns when to ask again.
func (c *Checker) check(ctx context.Context, t *target) time.Duration {
	start := time.Now()
	c.mu.Lock()
	b := t.backend
	if gap := soonGap - start.Sub(t.asked); gap > 0 {
		c.mu.Unlock()
		return gap // sessions fail faster than that
	}
	t.asked = start
	c.mu.Unlock()

	var said trail.Trail
	code, f := probe(ctx, c.o.Dial, &b, rtmp.HandshakeOptions{Heard: func(mark []byte) { said = trail.Parse(mark) }})
	took := time.Since(start)
	if f == nil {
		f = c.circle(&b, said)
	}

	c.mu.Lock()
	if ctx.Err() != nil || c.targets[b.Name] != t {
		c.mu.Unlock()
		return 0 // it was removed meanwhile
	}
	if len(said) > 0 {
		t.front = said[0]
	} else if f == nil {
		t.front = trail.ID{}
	}
	was := t.tracker.state
	moved := t.tracker.check(f, !t.accused.Before(start))
	h := fleet.Health{State: t.tracker.state, Reason: t.tracker.reason(f, took), Status: good(&b), Code: code, Took: took}
	if f != nil {
		h.Status = f.Status
	}
	c.o.Backends.SetHealth(b.Name, h)
	next := c.next(t)
	c.mu.Unlock()

	if moved {
		c.o.Emit.Emit(event.BackendHealth{Backend: b.Name, Up: h.State == fleet.HealthUp, First: was == fleet.HealthUnknown, Why: h.Reason})
	}
	return next
}

// next is when to ask again. It needs c.mu.
func (c *Checker) next(t *target) time.Duration {
	k := filled(t.backend.Check)
	if t.tracker.moving() {
		return min(max(k.Interval/fastPart, fastLeast), k.Interval)
	}
	d := k.Interval + pace.Phase(k.Jitter)
	if !t.phased { // those that came together part here
		t.phased = true
		d = pace.Phase(d)
	}
	return d
}

// evidence is what a session experienced: err is nil if all was well.
func (c *Checker) evidence(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[name]
	switch {
	case t == nil || !t.backend.Check.Passive:
	case err == nil:
		t.tracker.clear()
	case t.tracker.accuse():
		t.accused = time.Now()
		c.pace.Soon(t.job, max(0, soonGap-time.Since(t.asked)))
	}
}
