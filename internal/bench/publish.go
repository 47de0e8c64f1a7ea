package bench

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"weir/internal/bench/stamp"
)

// publishing is a Publish under way.
type publishing struct {
	o        PublishOptions
	tally    tally
	accepted *histogram
	lag      *histogram
	sent     atomic.Int64 // payload bytes
	expected atomic.Int64
	opened   atomic.Pointer[time.Time] // when the window began; nil before

	mu    sync.Mutex
	phase string // guarded by mu
	rate  rate   // of progress
}

// Publish publishes the streams, waits for the warm-up, measures one window, and ends
// them. If ctx ends earlier, so does the phase that it is in. An error means
// that nothing could be done at all; what became of the sessions is in the result.
func Publish(ctx context.Context, o PublishOptions) (*PublishResult, error) {
	list, err := o.check()
	if err != nil {
		return nil, err
	}
	m, err := newMeter(o.PIDs)
	if err != nil {
		return nil, err
	}
	p := &publishing{o: o, accepted: newHistogram(), lag: newHistogram()}
	r := &PublishResult{Options: o}
	for _, t := range list {
		r.Targets = append(r.Targets, t.String())
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	progress := startProgress(o.ProgressTo, p.line)
	var running sync.WaitGroup
	if o.Warmup > 0 {
		p.joinAll(ctx, life, list, &running)
		m.joined()
		p.enterPhase("warming up")
		wait(ctx, o.Warmup)
	}
	stop := m.window(life)
	begin := time.Now()
	p.opened.Store(&begin)
	if o.Window > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, begin.Add(o.Window))
		defer cancel()
	}
	if o.Warmup == 0 {
		p.joinAll(ctx, life, list, &running)
	}
	p.enterPhase("publishing")
	p.last(ctx, &running)
	end()
	running.Wait()
	stop()
	progress()
	r.Seconds = seconds(time.Since(begin))
	r.Sessions = p.tally.sessions()
	r.Sessions.Asked = o.Streams
	r.Accepted, r.Lag = p.accepted.quantiles(), p.lag.quantiles()
	r.Sent, r.Expected = p.sent.Load(), p.expected.Load()
	r.Server, r.Machine = m.shut(r.Sent, r.Sessions.Up)
	return r, nil
}

// joinAll returns when every publisher has been accepted or has failed, or ctx has ended.
func (p *publishing) joinAll(ctx, life context.Context, list []Target, running *sync.WaitGroup) {
	p.enterPhase("joining")
	settled := make(chan struct{}, len(list))
	started := p.o.Pace.run(ctx, running, len(list), func(i int, ready func()) {
		p.publish(life, list[i], sync.OnceFunc(func() {
			ready()
			settled <- struct{}{}
		}))
	})
	for range started {
		select {
		case <-settled:
		case <-ctx.Done():
			return
		}
	}
}

// last returns when ctx ends, or nobody publishes any more.
func (p *publishing) last(ctx context.Context, running *sync.WaitGroup) {
	gone := make(chan struct{})
	go func() {
		running.Wait()
		close(gone)
	}()
	select {
	case <-ctx.Done():
	case <-gone:
	}
}

func (p *publishing) enterPhase(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = s
}

// publish is one publisher.
func (p *publishing) publish(ctx context.Context, t Target, ready func()) {
	begin := time.Now()
	defer ready()
	feed := &feed{Source: stamp.NewSource(t.Key(), p.o.Epoch, p.o.Shape), p: p}
	up := false
	err := stamp.Publish(ctx, stamp.PublishOptions{
		URL:  "rtmp://" + t.Host + "/" + t.App + "/" + t.Name + t.Query,
		Feed: feed,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			nc, _, err := dialer{p.o.Insecure}.dial(ctx, t)
			return nc, err
		},
		Accepted: func() {
			up = true
			p.accepted.record(time.Since(begin))
			p.tally.up()
			ready()
		},
	})
	feed.end()
	switch {
	case ctx.Err() != nil:
	case up:
		p.tally.dropped(err)
	default:
		p.tally.failed(err)
	}
}

// feed is a source that notes what it yields in the window, and how late.
type feed struct {
	*stamp.Source
	p     *publishing
	start time.Time // of the run: the first question for a due time
	sent  int64

	inWindow bool
	before   int64         // sent before the window
	behind   time.Duration // how late it was when the window began
}

// Due implements stamp.Feed.
func (f *feed) Due() time.Duration {
	if f.start.IsZero() {
		f.start = time.Now()
	}
	return f.Source.Due()
}

// Next implements stamp.Feed.
func (f *feed) Next(buf []byte, sent time.Time) stamp.Frame {
	if f.enterWindow() {
		f.p.lag.record(time.Since(f.start) - f.Source.Due())
	}
	frame := f.Source.Next(buf, sent)
	n := int64(len(frame.Payload))
	f.sent += n
	if f.inWindow {
		f.p.sent.Add(n)
	}
	return frame
}

// enterWindow reports whether the window has begun, and notes at the first time how
// things stood then: nothing has been sent since.
func (f *feed) enterWindow() bool {
	if opened := f.p.opened.Load(); !f.inWindow && opened != nil {
		f.inWindow, f.before = true, f.sent
		f.behind = max(0, opened.Sub(f.start)-f.Source.Due())
	}
	return f.inWindow
}

// end counts what should have been sent in the window: what was, and what has fallen
// due beyond it, at the feed's own rate.
func (f *feed) end() {
	due := f.Source.Due()
	if f.start.IsZero() || due <= 0 || !f.enterWindow() {
		return
	}
	late := max(0, time.Since(f.start)-due-f.behind)
	f.p.expected.Add(f.sent - f.before + int64(late.Seconds()*float64(f.sent)/due.Seconds()))
}

// line is the state of a Publish in one line.
func (p *publishing) line() string {
	s := p.tally.sessions()
	q := p.lag.quantiles()
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%s  up %d/%d  failed %d  dropped %d  %.1f Mb/s  sent late p50 %.1f p99 %.1f ms",
		p.phase, s.Up, p.o.Streams, s.Failed, s.Dropped, p.rate.next(p.sent.Load(), time.Now())*8/1e6, q.P50, q.P99)
}
