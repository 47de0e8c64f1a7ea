package relay

import (
	"time"

	"weir/internal/deadline"
)

const (
	// FeedsPerConnection bounds how many streams share one connection to a node.
	// Why not larger: they share one TCP window and one reader, so one loss stalls
	// them all. Why not smaller: edges × origins × streams connections is what
	// sharing is there to avoid.
	FeedsPerConnection = 64

	// PeerPing is how often an otherwise quiet connection to a node is asked for a
	// sign of life, and PeerSilence how long it may give none. Why not smaller: a
	// node in a long garbage collection or a full disk's fsync is not dead. Why not
	// larger: a silent partition must be noticed within 2 s, which is up to a ping
	// until the last byte is seen, and the pings that PeerSilence rounds up to: five,
	// so 1.5 to 1.8 s.
	PeerPing    = 300 * time.Millisecond
	PeerSilence = 1400 * time.Millisecond

	// DialTimeout covers the TCP connect, the handshake and the proof, AnswerTimeout the wait for the
	// answer to play, publish or a query.
	DialTimeout   = deadline.Dial
	AnswerTimeout = deadline.Answer

	// unansweredTime is how much of a push to a server that answers no pings is sent
	// again to the next one. Why not larger: its viewers get it in one piece.
	unansweredTime = 2 * time.Second

	// PeerIdle is how long a connection without feeds is kept for the next one.
	PeerIdle = 30 * time.Second

	// BackoffMin and BackoffMax bound the jittered wait between attempts at a
	// source, so that a node's death is not followed by a stampede on the next.
	BackoffMin = 100 * time.Millisecond
	BackoffMax = 5 * time.Second

	// settleTime is how long a viewer is held while the owner that the registry
	// names does not deliver. Why not shorter: the next owner is known 1-2 s
	// after the last one has died.
	settleTime = 3 * time.Second

	// goodbye is how long a push that is over may take to say so. Why not longer: its
	// session waits for it.
	goodbye = time.Second

	// maxPushWrite bounds one write of a push, in bytes. Why not larger: a key frame
	// would hold a second copy of itself for long. Why not smaller: a GOP goes in few
	// calls.
	maxPushWrite = 256 << 10

	// WaitShare: where there is much to push, what is new waits for one part in so many of the bound that
	// the stream's viewers have (play.max_latency). Why not more: the rest is the reading's
	// (package session), and who is read rarely is pushed as rarely, with no more than a
	// visit's messages to wait for. Why not less: a round must not be over before those visits are.
	WaitShare = 5

	// handOver is how long before the newest frame that a server has taken its successor is
	// sent the stream from: what the server had not sent on when it died. Why not longer: it is
	// sent for nothing, nearly always. Why not shorter: a receiver of its own may have been behind.
	handOver = time.Second

	// pingsUnderWay bounds the pings of a push whose answers are waited for: more than fit into PeerSilence.
	pingsUnderWay = 16

	// MaxHops bounds how often a stream may be handed from server to server, so
	// that a loop of pushes ends.
	MaxHops = 3
)
