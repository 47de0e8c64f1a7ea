package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"weir/internal/bench/stamp"
)

// trial is one contender on one trace.
type trial struct {
	Round     int      `json:"round"`
	Contender string   `json:"contender"`
	Seed      uint64   `json:"seed"`
	Samples   []sample `json:"samples,omitempty"`
	Figures   figures  `json:"figures"`
	Sent      float64  `json:"sent_bps"` // what the servers received after the warm-up
	// Refused sessions could not begin; broken ones ended before their time.
	Refused int    `json:"refused"`
	Broken  int    `json:"broken"`
	First   string `json:"first_fault,omitempty"`
	Error   string `json:"error,omitempty"`
}

// trial plays the trace of a round through a contender.
func (p *plan) trial(ctx context.Context, t *trial, visits []visit) error {
	servers, err := startServers(ctx, p.dir, p.capacity)
	if err != nil {
		return err
	}
	defer stopServers(servers)
	b, err := p.balance(ctx, t.Contender, servers)
	if err != nil {
		return err
	}
	defer b.p.Stop()
	if p.logs != "" {
		defer func() {
			name := fmt.Sprintf("%s-%d.log", t.Contender, t.Seed)
			_ = os.WriteFile(filepath.Join(p.logs, name), []byte(b.p.Log.String()), 0o644)
		}()
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, p.trace.Length+time.Second)
	defer cancel()
	begin := time.Now()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { p.play(ctx, t, b.addr, visits, begin) })
	if t.Samples, err = watch(ctx, servers, begin, p.trace.Length); err != nil {
		return err
	}
	t.Figures = judge(t.Samples, p.capacity, p.warmup, p.window)
	t.Sent = received(t.Samples, p.warmup)
	return nil
}

// received is the rate at which all servers together received after the warm-up, bits per second.
func received(samples []sample, warmup time.Duration) float64 {
	var bytes float64
	var from, to *sample
	for i := range samples {
		if s := &samples[i]; s.At >= warmup {
			if from == nil {
				from = s
			}
			to = s
		}
	}
	if from == nil || from == to {
		return 0
	}
	for i := range to.Bytes {
		bytes += to.Bytes[i] - from.Bytes[i]
	}
	return bytes * 8 / (to.At - from.At).Seconds()
}

// watch samples the servers every second.
func watch(ctx context.Context, servers []*server, begin time.Time, length time.Duration) (all []sample, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s := sample{At: time.Since(begin)}
		for _, v := range servers {
			n, err := v.received(ctx)
			if err != nil {
				if ctx.Err() != nil {
					return all, nil
				}
				return all, err
			}
			s.Bytes = append(s.Bytes, n)
		}
		all = append(all, s)
		if s.At >= length {
			return all, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return all, nil
		}
	}
}

// play runs the publishers of a trace, and returns when all have ended.
func (p *plan) play(ctx context.Context, t *trial, addr string, visits []visit, begin time.Time) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var mu sync.Mutex
	fault := func(count *int, v *visit, err error) {
		mu.Lock()
		defer mu.Unlock()
		*count++
		if t.First == "" {
			t.First = fmt.Sprintf("%s, run %d: %v", v.name(), v.Run, err)
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range visits {
		v := &visits[i]
		timer.Reset(time.Until(begin.Add(v.From)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			ctx, cancel := context.WithDeadline(ctx, begin.Add(v.To))
			defer cancel()
			up := false
			name := "live/" + v.name()
			err := stamp.Publish(ctx, stamp.PublishOptions{URL: "rtmp://" + addr + "/" + name, Accepted: func() { up = true },
				Feed: stamp.NewSource(name, v.Run, stamp.Shape{VideoBitrate: int(v.BitrateBPS), AudioRate: -1})})
			switch {
			case ctx.Err() != nil:
			case up:
				fault(&t.Broken, v, err)
			default:
				fault(&t.Refused, v, err)
			}
		})
	}
}
