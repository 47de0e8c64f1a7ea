package health

import (
	"time"

	"weir/internal/control/fleet"
)

const (
	// maxChecks run at a time. Why not fewer: while all of 1,000 backends are frozen, each check takes its
	// whole timeout, and each backend still gets one every 4 s. Why not more: a goroutine and a
	// descriptor each.
	maxChecks = 256

	// firstWithin spreads the first checks of backends that come together. Why not longer: until then
	// a dead one is offered sessions.
	firstWithin = 100 * time.Millisecond

	// fastPart of the interval is waited while a backend is on its way up or down, but at least
	// fastLeast: a server that comes up busy is not to be hit by checks alone.
	fastPart  = 4
	fastLeast = 100 * time.Millisecond

	// soonGap is the least time between two checks that sessions have asked for: failing sessions, however
	// many, cost a backend ten checks a second.
	soonGap = 100 * time.Millisecond

	// maxHeaderBytes and maxBodyBytes of an HTTP check's answer are read. A health page that is
	// longer is not read to its end.
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 4 << 10
)

// Defaults of a check whose description leaves them open.
const (
	// DefaultInterval: why not shorter: 1,000 backends are 500 checks a second. Why not
	// longer: a frozen server is found after Fall of them.
	DefaultInterval = 2 * time.Second
	DefaultTimeout  = time.Second // more than any round trip on Earth; a busy server answers a handshake in milliseconds
	DefaultRise     = 2           // one good answer may be the last of a server that restarts in a loop
	DefaultFall     = 3           // a lost packet, or a pause of a second, is no death
)

// filled is a check with its defaults.
func filled(c fleet.Check) fleet.Check {
	if c.Kind == "" {
		c.Kind = fleet.CheckRTMP
	}
	if c.Interval <= 0 {
		c.Interval = DefaultInterval
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Rise <= 0 {
		c.Rise = DefaultRise
	}
	if c.Fall <= 0 {
		c.Fall = DefaultFall
	}
	return c
}
