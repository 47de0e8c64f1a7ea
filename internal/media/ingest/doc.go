// Package ingest holds the publishers that this node has accepted, one a
// stream. It authorizes nothing and speaks no protocol: a session hands it a
// name, and writes messages into the [Publication] that it gets back.
//
// # The caller's duties, in order
//
//  1. [Service.Publish] before the client hears that it may publish. A refusal
//     ([BusyError] and others) is the client's answer; no media has been taken.
//  2. [Publication.Write] for every audio, video and data message, from the one
//     goroutine that reads the client's connection.
//  3. [Publication.Close] exactly when the session ends, on every path. It gives
//     the claim back. Close is safe to repeat.
//
// A publication can also be ended from outside: by a newcomer to which the
// registry has given the stream, by a higher epoch, by an operator. Then the evict function given to
// Publish is called once, from another goroutine, and must end the session; later
// writes fail with the reason.
//
// # What stays when a publisher leaves
//
// The claim goes back at once, so that the publisher may return through any
// node. The stream in memory and its viewers are not this package's: they stay
// as long as somebody holds the stream (see package relay, which keeps viewers
// through a grace).
//
// # Goroutines
//
// One a publication, which waits for the loss of the claim and watches for
// silence. Nothing runs per message.
package ingest
