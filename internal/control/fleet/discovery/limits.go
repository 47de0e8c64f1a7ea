package discovery

import "time"

const (
	// maxBytes bounds a file or an answer. Why not smaller: 10,000 servers with all that can be said of them.
	// Stops: a list without end.
	maxBytes = 4 << 20

	// repeatAfter is how long a failure that goes on is not mentioned again. Why not shorter: a name server that is away
	// for a night should not fill a disk. Why not longer: who looks at the last hour should see it.
	repeatAfter = 5 * time.Minute
	// changeAfter is how long a failure that takes new words is not mentioned. Stops: a server that
	// fails in another way each time.
	changeAfter = 10 * time.Second

	// leastTTL and mostTTL bound how often a name is asked for. Why not less: an answer may say 0. Why not
	// more: who changes a record waits for it.
	leastTTL = time.Second
	mostTTL  = 5 * time.Minute
	// holdMissing is how long a server is kept that answers do not name any more and that is well. Why not shorter: a name server that
	// gives eight addresses of twenty leaves one out for five answers in a row once in 13, and names are asked for every second at
	// times. Why not longer: who takes an address out of a name waits for it; to be sooner there are orders.
	holdMissing = time.Minute
	// retryFirst and retryMost bound the wait after a failure, which doubles.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// queryTimeout is for one question to one name server.
	queryTimeout = 2 * time.Second
	// maxTargets bounds the servers of an SRV answer, each of which is a question of its own, and the
	// addresses of a name.
	maxTargets = 1000
	// udpSize is the answer that name servers may send in one datagram. Why not larger: fragments get lost
	// (DNS flag day 2020).
	udpSize = 1232

	// settleFile is how long a file must have been left alone before it is read: editors and copies write in pieces.
	settleFile = 50 * time.Millisecond
	// mostSettle bounds that for a file that is never left alone.
	mostSettle = 500 * time.Millisecond
	// lookFile is how often a file is looked at whatever its watch says, which is deaf on network file
	// systems and for directories that come later.
	lookFile = 2 * time.Second

	// DefaultPoll is how often a URL is asked.
	DefaultPoll = 10 * time.Second
	// pollTimeout bounds one answer, the body included.
	pollTimeout = 10 * time.Second

	// DefaultExpire is how long a registered server is believed in: three of SRS's heartbeats, which come
	// every nine seconds, and a bit.
	DefaultExpire = 30 * time.Second
	// saidFor is how long a load is believed that a server said when it called, as long as one that it was asked for. Why not
	// shorter: three heartbeats. Why not longer: a wrong figure is worse than none.
	saidFor = 30 * time.Second
	// maxRegistered bounds the servers that have registered; newPerSecond how fast they may come, newBurst at once.
	// Stops: floods of invented servers. Why not smaller: a fleet that restarts as a whole.
	maxRegistered = 2000
	newPerSecond  = 50
	newBurst      = 500
	// maxHeartbeat bounds a registration's body; SRS's own has 2 kB with summaries.
	maxHeartbeat = 64 << 10
	// maxConnections bounds the registration listener, maxConnectionsEach what one address has of it. Beyond, who comes
	// takes the place of who is silent. Why not fewer of one: a whole fleet may call from behind one address.
	maxConnections     = 256
	maxConnectionsEach = 32
	// maxStrangers are for those that are not trusted, where addresses are: each gets one answer, which says so.
	maxStrangers     = 16
	maxStrangersEach = 2
	// callTimeout bounds one call and its answer, half of it the header. Why not longer: slow callers hold one
	// of maxConnections each.
	callTimeout = 10 * time.Second
	// callIdle keeps a caller's connection for its next heartbeat, which comes every nine seconds.
	callIdle = time.Minute
	// maxCallHeader bounds a call's header. Stops: memory for strangers.
	maxCallHeader = 8 << 10
	// maxIdentity bounds each of server, service and pid.
	maxIdentity = 64
)
