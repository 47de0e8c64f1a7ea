package discovery

import "weir/internal/control/place"

// counters are those of the last call, to make rates of.
type counters struct {
	at, in, out   float64 // ms and bytes
	inBPS, outBPS float64
}

// load is what summaries say. The network's counters are the server's own where it has sampled them, else the machine's.
func (c *counters) load(s *summaries) place.Load {
	at, in, out := s.System.SRSTime, s.System.SRSReceived, s.System.SRSSent
	if at <= 0 || in+out <= 0 {
		at, in, out = s.System.NetTime, s.System.NetReceived, s.System.NetSent
	}
	if dt := at - c.at; c.at > 0 && dt > 0 && in >= c.in && out >= c.out {
		c.inBPS, c.outBPS = (in-c.in)*8000/dt, (out-c.out)*8000/dt
	}
	c.at, c.in, c.out = at, in, out
	return place.Load{
		IngressBPS: bounded(c.inBPS, mostBPS), EgressBPS: bounded(c.outBPS, mostBPS),
		CPU:      bounded(s.System.CPU, 1),
		Sessions: int(bounded(s.System.Sessions, mostSessions)),
	}
}

// What a server is believed of itself: a lie must not become an infinity.
const (
	mostBPS      = 1e13
	mostSessions = 1e7
)

func bounded(v, most float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, most)
}
