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

	rate rate // of progress
}

// Publish publishes the streams until ctx ends or the time is over. An error means
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
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	p := &publishing{o: o, accepted: newHistogram(), lag: newHistogram()}
	progress := startProgress(o.ProgressTo, p.line)
	r := &PublishResult{Options: o}
	for _, t := range list {
		r.Targets = append(r.Targets, t.String())
	}
	m.open()
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watching, running sync.WaitGroup
	watching.Go(func() { m.watch(watch) })
	begin := time.Now()
	o.Pace.run(ctx, &running, o.Streams, func(i int, ready func()) {
		p.publish(ctx, list[i], ready)
	})
	running.Wait()
	stop()
	watching.Wait()
	progress()
	r.Seconds = seconds(time.Since(begin))
	r.Sessions = p.tally.sessions()
	r.Sessions.Asked = o.Streams
	r.Accepted, r.Lag = p.accepted.quantiles(), p.lag.quantiles()
	r.Sent, r.Expected = p.sent.Load(), p.expected.Load()
	r.Server, r.Machine = m.shut(r.Sent, r.Sessions.Up)
	return r, nil
}

// publish is one publisher.
func (p *publishing) publish(ctx context.Context, t Target, ready func()) {
	begin := time.Now()
	once := sync.OnceFunc(ready)
	defer once()
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
			once()
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

// feed is a source that notes what it yields and how late.
type feed struct {
	*stamp.Source
	p     *publishing
	start time.Time // of the run: the first question for a due time
	sent  int64
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
	f.p.lag.record(time.Since(f.start) - f.Source.Due())
	frame := f.Source.Next(buf, sent)
	f.sent += int64(len(frame.Payload))
	f.p.sent.Add(int64(len(frame.Payload)))
	return frame
}

// end counts what should have been sent by now: what was, and the share of it that is
// overdue.
func (f *feed) end() {
	if due := f.Source.Due(); !f.start.IsZero() && due > 0 {
		f.p.expected.Add(int64(float64(f.sent) * max(1, float64(time.Since(f.start))/float64(due))))
	}
}

// line is the state of a Publish in one line.
func (p *publishing) line() string {
	s := p.tally.sessions()
	q := p.lag.quantiles()
	return fmt.Sprintf("publishing  up %d/%d  failed %d  dropped %d  %.1f Mb/s  sent late p50 %.1f p99 %.1f ms",
		s.Up, p.o.Streams, s.Failed, s.Dropped, p.rate.next(p.sent.Load(), time.Now())*8/1e6, q.P50, q.P99)
}
