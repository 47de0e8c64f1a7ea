package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"weir/bench/rig"
	"weir/internal/bench"
)

// trial is one contender under one load, once.
type trial struct {
	Contender string               `json:"contender"`
	Load      load                 `json:"load"`
	Round     int                  `json:"round"`
	Play      *bench.PlayResult    `json:"play,omitempty"`
	Publish   *bench.PublishResult `json:"publish,omitempty"`
	Error     string               `json:"error,omitempty"`
}

func (p *plan) trial(ctx context.Context, t *tools, c contender, l load) trial {
	tr := trial{Contender: c.name(), Load: l}
	if err := p.measure(ctx, t, c, &tr); err != nil {
		tr.Error = err.Error()
	}
	return tr
}

func (p *plan) measure(ctx context.Context, t *tools, c contender, tr *trial) error {
	s, err := c.start(ctx, tr.Load)
	if err != nil {
		return err
	}
	defer s.stop()
	if !s.publishes {
		end, err := publish(t, s.url, tr.Load)
		if err != nil {
			return err
		}
		defer func() { tr.Publish = end() }()
	}
	if err := plays(ctx, s.play(), tr.Load.Streams); err != nil {
		return err
	}
	return p.play(ctx, t, s, tr)
}

// publish starts the publisher; end stops it and returns what it says.
func publish(t *tools, url string, l load) (end func() *bench.PublishResult, err error) {
	sh := shape(l)
	read, err := rig.Publish(t.weir, url, "--streams", strconv.Itoa(l.Streams),
		"--bitrate", strconv.Itoa(sh.VideoBitrate/1000), "--audio-bitrate", strconv.Itoa(sh.AudioBitrate/1000),
		"--fps", strconv.FormatFloat(sh.FrameRate, 'f', -1, 64), "--gop", sh.GOP.String())
	if err != nil {
		return nil, err
	}
	return func() *bench.PublishResult {
		r := new(bench.PublishResult)
		if read(r) != nil {
			return nil
		}
		return r
	}, nil
}

// plays waits until every stream is there.
func plays(ctx context.Context, url string, streams int) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second+time.Duration(streams)*50*time.Millisecond)
	defer cancel()
	for range time.Tick(50 * time.Millisecond) {
		r, err := bench.Play(ctx, bench.PlayOptions{
			URLs: []string{url}, Streams: streams, Viewers: streams, Pace: bench.Pace{Concurrency: 20}, Window: time.Nanosecond,
		})
		if err != nil {
			return err
		}
		// Of very many some may be late; the trial counts whom they leave without a picture.
		if r.Join.FirstKey.Count >= int64(streams-streams/50) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: no picture in time", url)
		}
	}
	return nil
}

// play runs the viewers.
func (p *plan) play(ctx context.Context, t *tools, s *server, tr *trial) error {
	r := new(bench.PlayResult)
	err := rig.Bench(ctx, t.weir, r, "play", s.play(), "--deaf", strconv.Itoa(p.deaf), "--pid", strconv.Itoa(s.pid),
		"--viewers", strconv.Itoa(tr.Load.Viewers), "--streams", strconv.Itoa(tr.Load.Streams), "--reader", string(tr.Load.Reader), "--sample", strconv.Itoa(p.sample),
		"--rate", strconv.FormatFloat(p.rate, 'f', -1, 64), "--concurrency", strconv.Itoa(p.concurrency), "--warmup", p.warmup.String(), "--for", p.window.String())
	if err == nil && r.Deaf < p.deaf {
		err = fmt.Errorf("%d of %d deaf viewers came as far as a key frame", r.Deaf, p.deaf)
	}
	tr.Play = r
	return err
}

// line is the trial in one line, for whoever waits.
func (tr trial) line(joins bool) string {
	head := fmt.Sprintf("round %d  %-18s %s: ", tr.Round+1, tr.Contender, tr.Load)
	if tr.Error != "" || tr.Play == nil || tr.Play.Server == nil {
		return head + "failed: " + tr.Error
	}
	r := tr.Play
	if joins {
		return head + fmt.Sprintf("%d up, %d failed, %.0f µs of CPU a join, answer p50 %.2f p99 %.2f ms, first key frame p50 %.2f p99 %.2f ms, all in %.2f s",
			r.Sessions.Up, r.Sessions.Failed, r.Server.JoinCPU/float64(max(r.Sessions.Up, 1))*1e6, r.Join.Connect.P50, r.Join.Connect.P99,
			r.Join.FirstKey.P50, r.Join.FirstKey.P99, r.Join.Seconds)
	}
	return head + fmt.Sprintf("%.3f CPU-s/GB, latency p50 %.1f p99 %.1f ms, %.1f KB/viewer, lost %d, bytes %.1f %%",
		r.Server.PerGB, r.Latency.P50, r.Latency.P99, r.Server.RSSPerUnit/1e3, r.Frames.Lost, r.Bytes.Ratio*100)
}
