// Package session runs the RTMP connections that others open to this node: from
// accept to the last byte, whoever it is and whatever they want.
//
// It conducts the conversation and decides nothing. A session reads to the
// point where a client says publish or play, hands that to a [Handler], and
// then carries messages between the connection and what the handler gave it:
//
//	accept → limits → (TLS) → handshake → connect (→ proof of membership)
//	       → { publish → Publisher.Write …   one NetStream
//	           play    → Player …            another }
//	       → one closing line
//
// Several NetStreams on one connection are independent: ending one does not
// touch the others. A connection whose last NetStream ended by our side is
// closed; a client that ended it by itself may begin another.
//
// # Goroutines
//
// One a connection, which is its only reader and calls everything here except
// what is said otherwise; one more for the moment that a play waits for its
// stream. An idle connection holds no buffer.
//
// None for a TCP connection of which nothing but silence or media is expected: one that
// plays is parked until its client speaks (park.go, one goroutine for all), and one that
// publishes, as many others do, is read by the clock (collector.go, one goroutine a
// core). Collectors never wait: [Publisher].Write must not either.
//
// # Limits
//
// Absolute deadlines for the handshake, for connect, and until the first publish or
// play; a small message limit until a publish is accepted; a number of
// connections an address. All have a counter: see package config, limits.go.
package session
