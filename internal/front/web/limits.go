package web

import "time"

const (
	// maxTries bounds how many servers one request is offered to.
	maxTries = 3
	// patience is how long after its arrival a request may still be offered to another
	// server. Why not longer: players give up after ten seconds or so.
	patience = 8 * time.Second

	// headerTimeout is how long a client may take to send a request's header, in
	// all. Stops: slowloris.
	headerTimeout = 5 * time.Second
	// idleTimeout keeps a connection for the next request. Why not shorter: players
	// ask every segment's length, up to ten seconds or so.
	idleTimeout = 60 * time.Second
	// proxyHeaderTimeout is how long a trusted peer may take to say whose
	// connection it is.
	proxyHeaderTimeout = 3 * time.Second
	// maxPending bounds the connections whose PROXY header is awaited; they are of
	// trusted peers.
	maxPending = 1024

	// headerBytes bounds a request's header. Why not larger: memory for strangers.
	// Why not smaller: cookies.
	headerBytes = 16 << 10
	// answerHeaderBytes bounds the header of a server's answer.
	answerHeaderBytes = 64 << 10
	// h2Streams is how many requests an HTTP/2 client may have open. Stops: one
	// connection that is hundreds. Why not less: pages load many things at once.
	h2Streams = 100

	// keepIdle and keepIdlePerServer bound the connections to servers that wait for
	// another request.
	keepIdle          = 1024
	keepIdlePerServer = 64
	keepIdleFor       = 30 * time.Second // shorter than servers' own limits, nginx's being 75 s

	// copyBytes is one read of a server's answer. Why not larger: each viewer holds
	// one. Why not smaller: a key frame takes many.
	copyBytes = 16 << 10

	// readBytes is what one read of a connection to a server may bring. Why not smaller: what
	// has been gathered of a stream is to come at once.
	readBytes = 16 << 10

	// affinityFor is how long after its last request a client goes back to the
	// server it had. Why not shorter: a player asks every few seconds, and holds its breath
	// over a lost connection.
	affinityFor = 60 * time.Second
	// affinitySize bounds them: 5 MB.
	affinitySize = 50_000

	// maxSegments bounds the parts of a path that are looked at for a stream's name,
	// maxNames the names that it is taken for.
	maxSegments = 8
	maxNames    = 24

	// healthFor is how long an answer of the health URL stands.
	healthFor = 250 * time.Millisecond
)
