package fleet

import "time"

const (
	// reserveFor is how long a decision counts on top of the reports at most; at a node, against its capacities. Why not
	// shorter: a report is up to 1.2 s old, dialling may take 3 s. Why not longer: a
	// session that failed without a word would be counted for as long.
	reserveFor = 5 * time.Second

	// settled is how long before a report a session must have been decided to be in it: the
	// dial, and the second that the node measures over. Why not shorter: the session is in neither
	// for a moment. Why not longer: in both.
	settled = 1500 * time.Millisecond

	// rateBlend is the weight of a publisher's last second in what it is said to send. Why not more: a second with a key frame has
	// a tenth more than one without. Why not less: a stream that changes is known after some seconds.
	rateBlend = 0.25

	// syncEvery bounds how old the index may be against the members, which are compared at the next decision.
	// Why not each time: a thousand nodes take 0.2 ms. Why not longer: a node that is
	// gone fails dials.
	syncEvery = 50 * time.Millisecond

	// DefaultSticky is the grace in which a publisher goes back to the server it had. Why not
	// shorter: encoders wait up to half a minute between attempts. Why not longer: what it buys is the
	// viewers and pulls that are still there.
	DefaultSticky = time.Minute
	// stickySize bounds what is remembered of publishers that left: 1 MB.
	stickySize = 10_000

	// sentSize bounds of how many streams is remembered what they sent: 1 MB. Why not fewer: who comes back does so after
	// hours or days. Why not more: a guess for the others costs little.
	sentSize = 10_000

	// sourcesSize bounds how many clients' addresses are remembered: 20 MB.
	sourcesSize = 100_000

	// admitTries is how often a publisher is offered to a server that the others say is full, before it is not offered there again:
	// each time what they say is known here a moment later.
	admitTries = 8

	// comeFor is how long a publisher is on its way to a backend at most. Why not shorter: a front tries for nine seconds. Why not longer: of those
	// whose media goes past the front nobody says that they are there.
	comeFor = 10 * time.Second

	// believeFor is how long a front's word of what it has at backends is believed. Why not shorter: while the store is away,
	// for an election or a restart, it stays true, and each front alone would fill the servers again. Why not longer: a front that died
	// meanwhile, with the store perhaps, has taken its sessions along; its publishers are to find the room that they had.
	believeFor = 10 * time.Second

	// freshFor is how old a node's last report may be for its publisher to go straight back to it. Why not
	// longer: who is gone without a word would be dialled first.
	freshFor = 2500 * time.Millisecond

	// pullSeen is how long after a decision the watched view shows the pull that came of it: the dial, the
	// edge's request, the store. Until then it is remembered here.
	pullSeen = 3 * time.Second

	// explainUpTo servers are all named in a choice's reason. A log line of a thousand
	// is nobody's; Route has them.
	explainUpTo = 8

	// explainBudget is how many servers a second are looked at to explain decisions of fleets that are larger than
	// that: 1 % of a core. Beyond it a decision's reason is kept without the others'.
	explainBudget = 200_000

	// pastSize is how many decisions are remembered: 4 MB with their explanations.
	pastSize = 4096

	// maxShared bounds of how many backends a front tells the others what it has there: 60 kB.
	maxShared = 1000

	// MaxBackends bounds the registry. Stops: a list or a flood of registrations without end.
	// Why not smaller: a thousand is a large fleet, and sources change hands. 1 kB each.
	MaxBackends = 10_000
	// MaxWeight bounds a weight, as HAProxy does.
	MaxWeight = 256
	// maxName bounds a backend's name, which is a label, a path element and a log word.
	maxName = 128
	// maxStreams bounds what one backend is believed to have: 10 MB.
	maxStreams = 100_000
)
