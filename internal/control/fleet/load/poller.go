package load

import (
	"cmp"
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/control/fleet/pace"
	"weir/internal/ops/event"
)

// Options are a Poller's parts.
type Options struct {
	Backends *fleet.Backends
	Dial     Dialer
	Emit     event.Sink // told when a backend's load cannot be read any more, and when it can again
}

// Poller polls the load of all backends of a registry.
type Poller struct {
	o       Options
	get     *getter
	start   time.Time
	pace    *pace.Pacer
	changes *fleet.Changes
	stop    chan struct{}
	done    sync.WaitGroup

	mu      sync.Mutex
	targets map[string]*target // by name
}

// source reads one backend's load, again and again. One goroutine at a time calls it.
type source interface {
	read(ctx context.Context, now time.Duration) (Report, error)
}

// target is one backend that is polled.
type target struct {
	name     string
	job      string // its ID, as the pacer's name
	from     fleet.LoadSource
	interval time.Duration
	source   source

	// Poller.mu guards these.
	seen  time.Time // the last good report
	state State
}

// State is how the polls of a backend go.
type State struct {
	From    fleet.LoadKind
	Problem string // why the last poll was refused; empty if it was good
	Since   time.Time
	Used    bool // a view of it, perhaps not the newest, is in use
	LeftOut int  // streams that were not taken over
}

// New returns a Poller that runs until Close.
func New(o Options) *Poller {
	p := &Poller{o: o, get: newGetter(o.Dial), start: time.Now(), pace: pace.New(maxPolls), changes: o.Backends.Changes(),
		stop: make(chan struct{}), targets: map[string]*target{}}
	p.done.Go(func() { p.changes.Follow(p.stop, p.changed) })
	return p
}

// Close ends all polls. What the registry says of loads stays.
func (p *Poller) Close() {
	close(p.stop)
	p.done.Wait()
	p.changes.Close()
	p.pace.Close()
}

// State returns how the polls of a backend go; zero if it is not polled.
func (p *Poller) State(name string) State {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.targets[name]; t != nil {
		return t.state
	}
	return State{}
}

// changed begins, changes or ends the polls of a backend.
func (p *Poller) changed(ch *fleet.Change) {
	s := &ch.Status
	job := strconv.FormatUint(s.ID, 10)
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.targets[s.Name]
	if ch.What.Has(fleet.Removed) {
		if t != nil && t.job == job {
			p.end(t)
		}
		return
	}
	from := where(&s.Backend)
	if s.Operator == fleet.Maint || from.Kind == fleet.LoadNone || from.Kind == fleet.LoadRegistered {
		if t != nil {
			p.end(t)
			p.o.Backends.ClearLoad(s.Name)
		}
		return
	}
	if t != nil && t.job == job && t.from == from {
		return
	}
	if t != nil {
		p.end(t)
	}
	t = &target{name: s.Name, job: job, from: from, interval: max(cmp.Or(from.Interval, DefaultInterval), leastInterval),
		source: p.source(from), state: State{From: from.Kind}}
	p.targets[s.Name] = t
	p.pace.Add(job, pace.Phase(firstWithin), func(ctx context.Context) time.Duration { return p.poll(ctx, t) })
}

// end needs p.mu.
func (p *Poller) end(t *target) {
	p.pace.Remove(t.job)
	delete(p.targets, t.name)
}

func (p *Poller) source(from fleet.LoadSource) source {
	switch from.Kind {
	case fleet.LoadNginx:
		if from.URL == "" {
			return nowhere{}
		}
		return &nginx{get: p.get, url: from.URL, most: maxStatBytes}
	case fleet.LoadSRS:
		return newSRS(p.get, from.URL)
	}
	return newMediaMTX(p.get, from.URL)
}

// where a backend's load is, with the address that its software has by default. nginx has none: a guess would
// ask whatever else listens there.
func where(b *fleet.Backend) fleet.LoadSource {
	from := b.Load
	if from.Kind == "" {
		from.Kind = fleet.LoadNone
	}
	if from.URL != "" {
		return from
	}
	host, _, _ := net.SplitHostPort(cmp.Or(b.RTMP, b.HTTP))
	switch from.Kind {
	case fleet.LoadNginx:
		if b.HTTP != "" {
			from.URL = "http://" + b.HTTP + "/stat"
		}
	case fleet.LoadSRS:
		from.URL = "http://" + net.JoinHostPort(host, "1985")
	case fleet.LoadMediaMTX:
		from.URL = "http://" + net.JoinHostPort(host, "9997")
	}
	return from
}

// poll reads a backend's load once and returns when to do so again.
func (p *Poller) poll(ctx context.Context, t *target) time.Duration {
	rctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	began := time.Now()
	r, err := t.source.read(rctx, began.Sub(p.start))
	next := pace.Jitter(t.interval, jitter)

	p.mu.Lock()
	if ctx.Err() != nil || p.targets[t.name] != t {
		p.mu.Unlock()
		return 0 // it was removed meanwhile
	}
	told := p.take(t, began, &r, err)
	p.mu.Unlock()
	if told != nil {
		p.o.Emit.Emit(told)
	}
	return next
}

// take takes over what a poll found and returns what there is to tell, if anything. It needs p.mu.
func (p *Poller) take(t *target, began time.Time, r *Report, err error) event.Event {
	was := t.state.Problem
	if err == nil {
		p.o.Backends.SetLoad(t.name, r.Load, r.Streams)
		t.seen = began
		t.state = State{From: t.from.Kind, Used: true, LeftOut: r.LeftOut}
		if was != "" {
			return event.BackendLoad{Backend: t.name, Good: true}
		}
		return nil
	}
	now := time.Now()
	t.state.Problem = err.Error()
	if was == "" {
		t.state.Since = now
	}
	if t.state.Used && now.Sub(t.seen) >= max(maxAge, maxMissed*t.interval) {
		t.state.Used = false
		p.o.Backends.ClearLoad(t.name)
	}
	if was == "" {
		return event.BackendLoad{Backend: t.name, Why: t.state.Problem}
	}
	return nil
}
