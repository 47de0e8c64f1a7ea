// Package testnet is a network for tests, with the faults of a real one: delay,
// jitter, little bandwidth, tiny segments, stalls, resets in mid-message, bytes
// that change under way, peers that vanish without a word.
//
// There are two of it, and they share their faults:
//
//   - [Network] is in memory: listeners by name, connections as pairs. All its
//     waiting is on the time package and on condition variables, so it runs in a
//     testing/synctest bubble on that bubble's clock. Its connections are no
//     *net.TCPConn, so code that asks for one takes its other path.
//   - [Proxy] is a TCP proxy in this process, for real programs on real sockets.
//
// Every connection through either is a [Link], by which the test breaks it.
//
// # Goroutines and memory
//
// A Network has none of its own. A Proxy has four a connection. A direction of a
// link holds at most its window ([Faults].Window). The test closes both ends, or
// the Proxy, when it is done.
package testnet
