package node

import (
	"context"
	"runtime"
	"syscall"
	"time"

	"weir/internal/control/cluster"
)

// loadInterval is how often a node measures itself. The cluster jitters what it
// writes.
const loadInterval = time.Second

// loadMeter measures the node once a second and reports it to the cluster.
type loadMeter struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (l *loadMeter) start(n *node) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		tick := time.NewTicker(loadInterval)
		defer tick.Stop()
		var last sample
		var facts time.Time
		for {
			now := n.sample()
			n.cluster.ReportLoad(now.load(last))
			n.sampleBackends()
			last = now
			n.drops.flush(n.emit)
			if now.at.Sub(facts) >= factsInterval {
				facts = now.at
				n.updateFacts()
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

func (l *loadMeter) stop() {
	if l.cancel != nil {
		l.cancel()
		<-l.done
	}
}

// sample is the node's counters at one moment.
type sample struct {
	at                         time.Time
	cpu                        time.Duration // user and system, since the start
	in, out                    int64         // bytes of all sessions, since the start
	publishers, viewers, pulls int
	sessions                   int
}

func (n *node) sample() sample {
	s := sample{at: time.Now(), publishers: n.sessions.Publishers(n.cfg.Node.Name), viewers: n.play.Viewers() + n.front.Viewers(),
		pulls: int(n.pulling.Load()), sessions: n.sessions.Len()}
	s.in, s.out = n.sessions.Bytes()
	viewers, sent := n.play.HTTPLoad()
	s.sessions += viewers
	s.out += sent
	if n.web != nil { // what goes through to servers
		requests, streams, in, out := n.web.Load()
		s.sessions += requests
		s.viewers += streams
		s.in += in
		s.out += out
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		s.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	return s
}

// load is s as rates over the time since last.
func (s sample) load(last sample) cluster.Load {
	l := cluster.Load{Publishers: s.publishers, Viewers: s.viewers, Sessions: s.sessions, Pulls: s.pulls}
	if dt := s.at.Sub(last.at).Seconds(); !last.at.IsZero() && dt > 0 {
		l.IngressBPS = float64(s.in-last.in) * 8 / dt
		l.EgressBPS = float64(s.out-last.out) * 8 / dt
		l.CPU = (s.cpu - last.cpu).Seconds() / dt / float64(runtime.GOMAXPROCS(0))
	}
	return l
}
