package pace

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Job does one round and returns after how long it wants the next. Its context ends
// when the job is removed.
type Job func(ctx context.Context) (next time.Duration)

// idle is how long the waiting goroutine sleeps when nothing is to be waited for; every change
// wakes it.
const idle = time.Hour

// Pacer runs jobs.
type Pacer struct {
	limit  int
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // of one place: something is due earlier, or a round has ended
	done   sync.WaitGroup

	mu      sync.Mutex
	jobs    map[string]*entry
	queue   queue // of those that wait
	running int   // ≤ limit
}

// New returns a Pacer that runs at most limit jobs at a time.
func New(limit int) *Pacer {
	p := &Pacer{limit: limit, wake: make(chan struct{}, 1), jobs: map[string]*entry{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.done.Go(p.wait)
	return p
}

// Add begins a job, in place of one of the same name; first is when.
func (p *Pacer) Add(name string, first time.Duration, job Job) {
	e := &entry{job: job, due: time.Now().Add(first)}
	e.ctx, e.cancel = context.WithCancel(p.ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(name)
	p.jobs[name] = e
	heap.Push(&p.queue, e)
	p.look()
}

// Soon makes a job's next round due within the time given. If one is running, another
// follows within that time of its end.
func (p *Pacer) Soon(name string, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := p.jobs[name]; {
	case e == nil:
	case e.running:
		if !e.again || within < e.within {
			e.again, e.within = true, within
		}
	default:
		if due := time.Now().Add(within); due.Before(e.due) {
			e.due = due
			heap.Fix(&p.queue, e.place)
			p.look()
		}
	}
}

// Remove ends a job. Its round, if one is running, is told by its context and not
// waited for.
func (p *Pacer) Remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(name)
}

// remove needs p.mu.
func (p *Pacer) remove(name string) {
	e := p.jobs[name]
	if e == nil {
		return
	}
	delete(p.jobs, name)
	e.cancel()
	e.gone = true
	if !e.running {
		heap.Remove(&p.queue, e.place)
	}
}

// Close ends all jobs and waits for their rounds.
func (p *Pacer) Close() {
	p.cancel()
	p.done.Wait()
}

func (p *Pacer) look() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// wait starts jobs as they become due.
func (p *Pacer) wait() {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		timer.Reset(p.start())
		select {
		case <-p.ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// start starts what is due and returns how long nothing else will be.
func (p *Pacer) start() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.running < p.limit && len(p.queue) > 0 {
		e := p.queue[0]
		if until := time.Until(e.due); until > 0 {
			return until
		}
		if p.ctx.Err() != nil {
			return idle
		}
		heap.Pop(&p.queue)
		e.running = true
		p.running++
		p.done.Go(func() { p.round(e) })
	}
	return idle
}

func (p *Pacer) round(e *entry) {
	next := e.job(e.ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	e.running = false
	if !e.gone {
		if e.again {
			e.again, next = false, min(next, e.within)
		}
		e.due = time.Now().Add(max(next, 0))
		heap.Push(&p.queue, e)
	}
	p.look()
}
