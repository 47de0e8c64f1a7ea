// Package front carries sessions to the servers behind. It asks a [Placer]
// where a session belongs, goes there, and keeps the client's connection its
// own, so that the server can change under it.
//
// # Carrying a publisher
//
// The publisher writes into a stream of its own in the front's memory, and a
// relay.Push sends that to the chosen origin. The stream keeps headers and the
// GOP, and what the origin has not taken, so a failed one is replaced by pushing the same stream again
// from a key frame before that, with the same timestamps, to another one:
//
//	client ──Write──▶ live.Stream ──cursor──▶ Push ──▶ origin A   ✗
//	                                   └────▶ Push ──▶ origin B
//
// The first push is opened before the client is told that it may publish, so a
// refusal (the name is taken) is the client's answer. Later failures are the
// front's to mend: never the failed server first, then that too if there is nobody
// else, jittered waits, up to a deadline, after which the client is told and closed. A slow origin delays its
// own publisher's cursor and nobody else.
//
// The push names the stream's timeline, a random word made per publisher, so
// that everybody behind recognizes the same publisher on the same clock.
//
// # Carrying a viewer
//
// The front plays from the chosen edge over a connection of the viewer's own
// and forwards messages, placed by a live.Continuity: the next edge is asked for what comes after the
// last message that the client was sent. What the client said of itself goes along.
//
// # Servers that are no nodes
//
// A foreign server is spoken to as the client would, see foreign.go. Nobody there
// knows the cluster, so this front claims the stream in its [Registry] and says where it
// is. Moves are those of any carried session; [Front.Evacuate] asks for them. Viewers
// follow the registry (audience.go), since a server that they were sent to is no
// better than the stream it has. Which sessions are spliced instead is way.go's to say.
//
// # Splicing
//
// The server is told the client's own bytes (replay.go), the client what it lacks to
// understand the server's (splicealign.go), and then package splice moves the rest. A
// spliced session has no goroutine; it ends with its server, a viewer's also when the
// registry says that its stream is elsewhere (splicefollow.go).
//
// # Goroutines
//
// A carried publisher has one (its pushes), plus the push's reader. A carried
// viewer has one, which reads from the edge and writes to the client; a stream with
// viewers at foreign servers one, and an evacuation one and one a move. A client
// that does not read therefore stops the reading from its edge, which then
// skips for it, and is not asked meanwhile whether it is alive.
package front
