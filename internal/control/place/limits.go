package place

const (
	// DefaultBitrateBPS of a stream not measured yet, in bits per second: a common 720p.
	DefaultBitrateBPS = 3e6

	// Assumed capacities, where none is set, make shares comparable; they refuse nobody.
	// One gigabit network interface, less a tenth for everything else.
	assumedEgressBPS = 0.9e9
	// Sessions and publishers that one core's worth of a small server carries.
	assumedSessions   = 5000
	assumedPublishers = 500
	// assumedJoins in flight at a time: each sends a GOP cache of some megabytes in a burst.
	assumedJoins = 200

	// epsilon is how far above the mean a server may be that already has the stream. Why
	// not smaller: pulls multiply (every small imbalance breaks the affinity). Why not
	// larger: it is the overload that the busiest server carries. In simulation 0.10 costs 2 %
	// more than the fewest possible pulls.
	epsilon = 0.10

	// ringPoints of each server on the hash ring. Why not fewer: the arcs, and so the shares,
	// differ by about 1/√points. Why not more: the ring is sorted when the fleet changes.
	ringPoints = 128
)
