package bench

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// startProgress rewrites one line on a terminal each second, until stop is called,
// which clears it.
func startProgress(to io.Writer, line func() string) (stop func()) {
	if to == nil {
		return func() {}
	}
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(to, "\r\x1b[K")
				return
			case <-ticker.C:
				fmt.Fprint(to, "\r\x1b[K"+line())
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

// rate turns a growing count into a rate per second.
type rate struct {
	last int64
	at   time.Time
}

func (r *rate) next(n int64, now time.Time) float64 {
	defer func() { r.last, r.at = n, now }()
	if r.at.IsZero() {
		return 0
	}
	return float64(n-r.last) / now.Sub(r.at).Seconds()
}

// line is the state of a Play in one line.
func (p *player) line() string {
	var total int64
	for _, v := range p.up() {
		total += v.bytes()
	}
	s := p.tally.sessions()
	p.mu.Lock()
	phase := p.phase
	mbps := p.rate.next(total, time.Now()) * 8 / 1e6
	p.mu.Unlock()
	line := fmt.Sprintf("%s  up %d/%d  failed %d  dropped %d  %.1f Mb/s", phase, s.Up, p.o.Viewers, s.Failed, s.Dropped, mbps)
	if q := p.latency.quantiles(); q.Count > 0 {
		line += fmt.Sprintf("  latency p50 %.1f p99 %.1f ms", q.P50, q.P99)
	} else if q := p.key.quantiles(); q.Count > 0 {
		line += fmt.Sprintf("  first key frame p50 %.1f ms", q.P50)
	}
	return line
}
