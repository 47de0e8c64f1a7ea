// Package rtmp speaks RTMP 1.0 and its enhanced successors, as server and as
// client. It is a wire format: it knows connections, messages and commands, and
// no policy. Who may publish, where a stream lives and who watches it are its
// caller's.
//
// # Layers
//
// Each layer can be used without the ones above it.
//
//   - Bytes: [Decoder] turns bytes into messages without any I/O;
//     [AppendMessage] turns a message into bytes without any state; [Encoder]
//     compresses headers (RTMP 1.0 §5.3). [ParseControl] and its appenders are
//     for messages of types 1 to 6 (§5.4, §7.1.7), [AggregateReader] for type 22
//     (§7.1.6).
//   - Handshake: [ServerHandshake] and [ClientHandshake] (§5.2), simple and
//     with digest, over any io.ReadWriter.
//   - [Conn]: messages over a net.Conn, in both directions, with the
//     housekeeping that needs no decision.
//   - The conversation: connect, createStream, publish, play and their answers,
//     on top of a Conn, for servers and for clients.
//
// # The caller's duties, in order
//
//  1. Handshake. A Conn bounds it with Limits.Handshake; the bare functions are
//     bounded by the deadline that the caller has set.
//  2. Read in one goroutine, and keep reading also where nothing is expected: a
//     peer that plays still sends acknowledgements and pings.
//  3. Raise the message limit with SetMaxMessage once the peer is known. Until
//     then it is Limits.PreAuth.
//  4. Bound silence with SetReadDeadline. Writes are bounded by Limits.Write.
//  5. Close. Every [*Error] is final.
//
// # Goroutines and memory
//
// The package starts no goroutine. A Conn has one reader; writes may come from
// anywhere. A [Message] returned by a Decoder or Conn, and its payload, are valid
// until the next read. Buffers are borrowed from shared pools while bytes are in
// flight: an idle TCP connection holds none, and one in the middle of a message
// at most twice what has arrived of it, from 64 KiB up.
//
// # Strangers
//
// A peer may send anything. What it can make this package hold or do is bounded
// by the constants of limits.go, each with the [Reason] it is refused with;
// [Reasons] lists them all.
package rtmp
