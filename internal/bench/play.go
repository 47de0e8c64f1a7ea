package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// player is a Play under way.
type player struct {
	o         PlayOptions
	discarder *discarder
	tally     tally
	noKey     atomic.Int64
	deafened  atomic.Int64 // deaf viewers that have had their key frame, and read nothing now

	connect, key, latency *histogram

	mu      sync.Mutex
	viewers []*viewer // those that came up
	phase   string
	rate    rate // of progress
}

// Play joins the viewers, waits for the warm-up, measures one window, and ends them.
// If ctx ends earlier, so does the phase that it is in, and the result is of what was.
// An error means that nothing could be measured at all: an *OptionError, or the system's.
func Play(ctx context.Context, o PlayOptions) (*PlayResult, error) {
	list, err := o.check()
	if err != nil {
		return nil, err
	}
	m, err := newMeter(o.PIDs)
	if err != nil {
		return nil, err
	}
	p := &player{o: o, connect: newHistogram(), key: newHistogram(), latency: newHistogram()}
	if p.discarder, err = newDiscarder(o.Reader, o.Loops); err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	progress := startProgress(o.ProgressTo, p.line)
	r := &PlayResult{Options: o}
	for _, t := range list {
		r.Targets = append(r.Targets, t.String())
	}

	var running sync.WaitGroup
	begin := time.Now()
	p.joinAll(ctx, life, list, &running)
	r.Join.Seconds = seconds(time.Since(begin))
	m.joined()
	p.deafen(ctx, life, list, &running)
	p.enterPhase("warming up")
	wait(ctx, o.Warmup)
	p.enterPhase("measuring")
	p.measure(ctx, m, r)
	progress()

	r.Sessions = p.tally.sessions()
	r.Sessions.Asked = o.Viewers
	r.Deaf = int(p.deafened.Load())
	r.Join.Connect, r.Join.FirstKey, r.Join.NoKey = p.connect.quantiles(), p.key.quantiles(), int(p.noKey.Load())
	r.Latency = p.latency.quantiles()
	end()
	running.Wait()
	p.discarder.close()
	for _, v := range p.viewers {
		if v.sample != nil {
			v.sample.addTo(&r.Frames)
		}
	}
	return r, nil
}

// joinAll returns when every viewer has settled, or ctx has ended.
func (p *player) joinAll(ctx, life context.Context, list []Target, running *sync.WaitGroup) {
	p.enterPhase("joining")
	every := p.o.Viewers // one sampled viewer in so many
	if p.o.Sample > 0 {
		every = p.o.Viewers / p.o.Sample
	}
	settled := make(chan struct{}, p.o.Viewers)
	started := p.o.Pace.run(ctx, running, p.o.Viewers, func(i int, ready func()) {
		v := &viewer{target: list[i%len(list)]}
		if i%every == 0 && i/every < p.o.Sample {
			v.sample = newSample(v.target, p.latency)
		}
		p.join(life, v, ready, func() { settled <- struct{}{} })
	})
	for range started {
		select {
		case <-settled:
		case <-ctx.Done():
			return
		}
	}
}

// deafen joins the deaf, and returns when each has had its key frame or will have none, or ctx has ended.
func (p *player) deafen(ctx, life context.Context, list []Target, running *sync.WaitGroup) {
	settled := make(chan struct{}, p.o.Deaf)
	for i := range p.o.Deaf {
		running.Go(func() { p.deaf(life, list[i%len(list)], func() { settled <- struct{}{} }) })
	}
	for range p.o.Deaf {
		select {
		case <-settled:
		case <-ctx.Done():
			return
		}
	}
}

// enter lists a viewer that has come up.
func (p *player) enter(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers = append(p.viewers, v)
}

func (p *player) enterPhase(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = s
}

// up returns the viewers that have come up so far.
func (p *player) up() []*viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewers[:len(p.viewers):len(p.viewers)]
}

// measure is the window.
func (p *player) measure(ctx context.Context, m *meter, r *PlayResult) {
	viewers := p.up()
	standing := p.tally.sessions().Up
	from := time.Now()
	for _, v := range viewers {
		v.from = v.bytes()
		if v.sample != nil {
			v.sample.open(from)
		}
	}
	stop := m.window(ctx)
	if p.o.Window > 0 {
		wait(ctx, p.o.Window)
	} else {
		<-ctx.Done()
	}
	stop()

	to := time.Now()
	gaps := newHistogram()
	got := make([]int64, len(viewers))
	for i, v := range viewers {
		got[i] = v.bytes() - v.from
		if v.sample != nil {
			gaps.record(v.sample.shut(to))
		}
	}
	r.Seconds = seconds(to.Sub(from))
	r.LongestGap = gaps.quantiles()
	r.Bytes = account(viewers, got, standing, p.slack(to.Sub(from)))
	r.Server, r.Machine = m.shut(r.Bytes.Received, p.tally.sessions().Up)
}

// slack is the share of a window's bytes that a lazy reader may leave unread at its
// end, or have found at its begin.
func (p *player) slack(window time.Duration) float64 {
	if p.o.Reader == Eager || window <= 0 {
		return 0
	}
	return min(lazyMax.Seconds()/window.Seconds(), 1)
}

// account judges what each viewer got. standing is how many were up when the window began.
func account(viewers []*viewer, got []int64, standing int, slack float64) Bytes {
	var b Bytes
	var sampled, samples int64
	for i, n := range got {
		b.Received += n
		if viewers[i].sample != nil {
			sampled += n
			samples++
		}
	}
	if samples == 0 || sampled == 0 {
		return b
	}
	mean := float64(sampled) / float64(samples)
	b.Expected = int64(mean * float64(standing))
	b.Ratio = float64(b.Received) / float64(b.Expected)
	for _, n := range got {
		if float64(n) < (shortShare-slack)*mean {
			b.Short++
		}
	}
	return b
}

// wait waits for d or the end of ctx.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
