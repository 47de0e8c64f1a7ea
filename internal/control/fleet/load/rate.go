package load

import "time"

// rate makes bits per second of byte counters that are read now and then.
type rate struct {
	of      string // whose they are: a restarted process counts from 0 again
	at      time.Duration
	in, out uint64

	inBPS, outBPS float64
	known         bool
}

// next takes the counters as they are at a time on any clock that only grows, and reports whether the
// rates are known.
func (r *rate) next(of string, at time.Duration, in, out uint64) bool {
	dt := at - r.at
	switch {
	case r.of != of || in < r.in || out < r.out || dt < 0: // another process, or the same anew
		*r = rate{of: of, at: at, in: in, out: out}
	case dt < leastInterval: // too close to say anything: the last stays
	default:
		r.inBPS = float64(in-r.in) * 8 / dt.Seconds()
		r.outBPS = float64(out-r.out) * 8 / dt.Seconds()
		r.at, r.in, r.out, r.known = at, in, out, true
	}
	return r.known
}
