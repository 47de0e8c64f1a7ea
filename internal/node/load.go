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
	in, out                    int64         // bytes since the start; see node.bytes
	publishers, viewers, pulls int
	sessions                   int
}

func (n *node) sample() sample {
	s := sample{at: time.Now(), publishers: n.sessions.Publishers(n.cfg.Node.Name), viewers: n.play.Viewers() + n.front.Viewers(),
		pulls: int(n.pulling.Load()), sessions: n.sessions.Len()}
	s.in, s.out = n.bytes()
	viewers, _ := n.play.HTTPLoad()
	s.sessions += viewers
	if n.web != nil { // what goes through to servers
		requests, streams, _, _ := n.web.Load()
		s.sessions += requests
		s.viewers += streams
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		s.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	return s
}

// bytes are all that this node has received and sent for streams and their clients. Neither ever falls.
// What goes through it counts as often as it does on the wire: from a client in, to the server behind out. A
// feed from node to node is out at the one, in its sessions, and in at the other, in its connections to peers. What the node
// sends to itself, a front that is an edge too, is on no wire.
func (n *node) bytes() (in, out int64) {
	by, own := n.sessions.Traffic()
	for _, t := range by {
		in, out = in+t.In, out+t.Out
	}
	in, out = in-own.In, out-own.Out
	for _, bytes := range []func() (in, out int64){n.peers.Bytes, n.front.Bytes} {
		i, o := bytes()
		in, out = in+i, out+o
	}
	_, sent := n.play.HTTPLoad()
	out += sent
	if n.web != nil {
		_, _, i, o := n.web.Load()
		in, out = in+i+o, out+i+o
	}
	return in, out
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
