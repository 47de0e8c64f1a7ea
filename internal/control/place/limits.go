package place

import "time"

const (
	// DefaultBitrateBPS of a stream not measured yet, in bits per second: a common 720p.
	DefaultBitrateBPS = 3e6

	// Assumed capacities, where none is set, make shares comparable; they refuse nobody.
	// One gigabit network interface, less a tenth for everything else.
	assumedEgressBPS = 0.9e9
	// Sessions and publishers that one core's worth of a small server carries.
	assumedSessions   = 5000
	assumedPublishers = 500
	// joinGate is how many joins in flight a server gets while others have fewer: each sends a GOP
	// cache of some megabytes in a burst. It is a gate and no part of the share: where few
	// sessions are open, joins would outweigh them, and break the affinity of streams to servers for
	// good (measured: 10 % more pulls).
	joinGate = 200
	// joinLasts is how long a reserved join is in flight. The rest of the reservation waits for a report: with
	// reports of 5 s, joins that are long done would close the gate (measured: 1.16 of the fewest pulls).
	joinLasts = time.Second

	// maxOverdue bounds the reservations that stand because nobody reports: 20 MB. Beyond it the oldest end. Why not fewer: they are
	// what keeps servers even while nothing else is known. Why not more: at 100 sessions a second these are those of the last
	// half hour, and most of those before have ended.
	maxOverdue = 200_000

	// Epsilon is how far above the mean a server may be that already has the stream. Why
	// not smaller: pulls multiply (every small imbalance breaks the affinity). Why not
	// larger: it is the overload that the busiest server carries. In simulation 0.10 costs 2 %
	// more than the fewest possible pulls.
	Epsilon = 0.10

	// gather is how far above the mean a stream still gathers its viewers at one of the servers that have
	// it. Why not smaller: it spreads at each fluctuation. Why not Epsilon: the servers stand at the bound,
	// and what old reports do not show puts them above (measured: 1.16 instead of 1.12).
	gather = Epsilon / 2

	// zoneFull is the share of capacity above which a zone's best server sends sessions to
	// other zones. Why not 1: the rest absorbs what reports do not show yet.
	zoneFull = 0.9

	// lookAt servers at the top of a heap with the session added. Their order by load without it
	// is not quite the order with it: servers differ in size, and some have to pull the
	// stream. Fleets up to this size are decided exactly; in larger ones the choice is never
	// worse than the best by more than the session itself. Why not more: 10 ns each.
	lookAt = 16

	// draws at random before all servers are searched for one that has room.
	draws = 8

	// sumAnew after so many changes: what rounding has added up to is still below 1e-12.
	sumAnew = 4096

	// cpuKnownBPS is the egress from which a server's processor load says what a bit costs.
	// Below, it is mostly what the machine does anyhow.
	cpuKnownBPS = 20e6
	// cpuBlend is the weight of the newest report in that cost.
	cpuBlend = 0.2

	// warmStart is the part of its weight with which a server begins its slow start, as in HAProxy:
	// with nothing at all it would never be tried.
	warmStart = 0.1

	// ringPoints of each server on the hash ring. Why not fewer: the arcs, and so the shares,
	// differ by about 1/√points. Why not more: the ring is sorted when the fleet changes.
	ringPoints = 128
)
