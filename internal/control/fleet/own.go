package fleet

import (
	"time"

	"weir/internal/control/place"
)

// meter turns a backend's byte counters into rates.
type meter struct {
	at      time.Time
	since   time.Time // when the time of the rate began
	in, out int64
	rate    place.Load // of ingress and egress, without publishers that are measured by themselves

	polled              time.Time // when the backend said something of itself
	polledIn, polledOut int64
}

// Sample measures what this node's sessions send and get, and tries again what could not be registered; the
// caller does so about once a second.
func (b *Backends) Sample() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retry()
	b.forget()
	now := b.o.Now()
	for _, x := range b.all {
		m := &x.meter
		if m.at.IsZero() {
			x.Counters.sample(0)
		} else {
			x.Counters.sample(now.Sub(m.at))
		}
		_, _, folded := x.Counters.publishing()
		in, out := x.Counters.In.Load()-folded, x.Counters.Out.Load()
		if dt := now.Sub(m.at).Seconds(); !m.at.IsZero() && dt > 0 {
			// What clients send is what the server gets.
			m.rate.IngressBPS = float64(in-m.in) * 8 / dt
			m.rate.EgressBPS = float64(out-m.out) * 8 / dt
		}
		m.since, m.at, m.in, m.out = m.at, now, in, out
	}
}

// measured takes over what the backend says of itself, and notes what of it is this node's own. Rates are compared
// over the same time, from one poll to the next: against the own rates of the last second, each publisher that left meanwhile
// would be somebody else's until the next poll.
func (x *backend) measured(l place.Load, now time.Time) {
	m := &x.meter
	x.Measured, x.LoadSeen, x.ownThen = l, now, x.own()
	x.Counters.Settle()
	in, out := x.Counters.In.Load(), x.Counters.Out.Load()
	if dt := now.Sub(m.polled).Seconds(); !m.polled.IsZero() && dt > 0 {
		x.ownThen.IngressBPS = float64(in-m.polledIn) * 8 / dt
		x.ownThen.EgressBPS = float64(out-m.polledOut) * 8 / dt
	}
	m.polled, m.polledIn, m.polledOut = now, in, out
}

// status is the backend now. It needs Backends.mu.
func (x *backend) status() BackendStatus {
	x.Counters.Settle()
	s := x.BackendStatus
	s.Own = x.own()
	return s
}

// own is what this node's sessions at the backend are.
func (x *backend) own() place.Load {
	l := x.meter.rate
	bps, _, _ := x.Counters.publishing()
	l.IngressBPS += bps
	l.Publishers = int(x.Counters.Publishers.Load())
	l.Sessions = l.Publishers + int(x.Counters.Viewers.Load())
	return l
}

// load is all that is known of what a backend carries: what this node has there now, and what others
// had there when it was last heard. others is what other fronts say. What a backend says itself is what others have there too, older,
// but with those who came past the fronts: the larger counts.
func (x *backend) load(others place.Load) place.Load {
	own := x.own()
	if x.Reported {
		others.EgressBPS = max(others.EgressBPS, x.Measured.EgressBPS-x.ownThen.EgressBPS)
		others.IngressBPS = max(others.IngressBPS, x.Measured.IngressBPS-x.ownThen.IngressBPS)
		others.Sessions = max(others.Sessions, x.Measured.Sessions-x.ownThen.Sessions)
		others.Publishers = max(others.Publishers, x.Measured.Publishers-x.ownThen.Publishers)
	}
	return place.Load{
		EgressBPS:  own.EgressBPS + max(others.EgressBPS, 0),
		IngressBPS: own.IngressBPS + max(others.IngressBPS, 0),
		CPU:        x.Measured.CPU,
		Sessions:   own.Sessions + max(others.Sessions, 0),
		Publishers: own.Publishers + max(others.Publishers, 0),
	}
}
