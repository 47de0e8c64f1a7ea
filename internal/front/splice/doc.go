// Package splice joins pairs of TCP connections in the kernel: what comes in at
// one end goes out at the other. It knows bytes, ends and limits, and no
// protocol.
//
// # How bytes move
//
// A [Joiner] has an epoll loop or a few. A loop that finds bytes at a socket moves them
// at once, one way of two, by what such visits have found of late:
//
//	small   recv, send           through one buffer of the loop's
//	large   splice, splice       through a pipe, pages and not bytes
//
// What the other end does not take waits: small leftovers in memory (at most
// copyMax), large ones in the pipe, which the session then keeps; its source is not
// read meanwhile. Only such a session has more than its two descriptors: a pipe is borrowed
// from a bounded pool for as long as there is data in it. When the pool is empty, or the
// kernel refuses to splice, everything is copied.
//
// # Low-water marks
//
// A server that sends a packet for each message costs a proxy a wake-up and a
// send for each. A socket that is found to be so chatty is visited by the clock
// instead, once in [Options.MaxAdded], and gets a receive low-water mark
// (SO_RCVLOWAT) below which its packets wake nobody. See lane.go.
//
// # The caller's duties
//
// Join takes both connections: the caller must not use them afterwards, whatever it
// returns. Ended is called once, on the loop's goroutine, and must not block. Close of the
// Joiner ends everything and waits.
//
// # Goroutines
//
// One a loop; none a session. A loop waits in the runtime's poller, so that an idle one
// holds no thread: see doorbell_linux.go.
package splice
