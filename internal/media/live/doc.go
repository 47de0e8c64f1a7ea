// Package live holds streams in memory and sends them to their viewers. It is
// the hot path of the server, whole.
//
// # The idea
//
// A stream is an append-only log of wire bytes. The publisher's goroutine hands
// each message to [Writer.Write], which classifies it, gives it its place on the
// stream's clock, and appends it once, encoded as every viewer will receive it:
// in RTMP form chunks with a type 0 header (RTMP 1.0 §5.3.1.2.1), so that a
// message depends on nothing before it and all viewers get identical bytes. A
// viewer is a position in that log. There is no queue per viewer: sending is one
// write of everything between its position and the end, from memory that all
// share. A slow viewer costs what any other does, and its falling behind moves
// nothing but its own position.
//
// What was not done, and why: a channel or goroutine per viewer costs a wake-up
// per viewer and frame (peers built so need 4 to 11 CPU seconds per GB, the bare
// kernel 0.5); queues of references to frames need a lock or an atomic count a
// frame and viewer, and a writev of many small pieces; a ring that is
// overwritten would need every reader to be known to the writer.
//
// # The log
//
// A log is cut into segments of fixed capacity. A message never straddles two;
// one larger than a segment gets its own. Offsets are absolute, 64 bits, and
// count message bytes without the unused tails of segments. With the writer's
// lock held, for the log l and any of its segments s:
//
//	bytes below l.end never change, and l.end is at the end of a message
//	s[i+1].base = s[i].sealed             offsets have no holes
//	s.sealed = 0 or s.base + s.used       0 only for the last one
//	entries[i+1].off = entries[i].off + entries[i].size, for i+1 < s.n
//	l.join = nil or l.join.off >= table.segs[0].base; the same for the points before it
//	all frames of s are on the clock s.clock
//	l.end - l.join.off <= RetainBytes and last time - l.join.ms <= RetainTime
//	bytes in the table <= RetainBytes + the largest message + 2 SegmentBytes
//
// The order of stores makes readers lock-free: bytes, then entry and s.n, then
// l.end; at a segment's end s.sealed, then the new table, and only then an end
// beyond it. A reader loads l.end first; a segment that it then finds unsealed
// holds everything up to that end.
//
// The table of segments is immutable and replaced. Segments that neither a joiner
// nor a viewer within the lag limit needs leave it; the garbage collector frees
// them when the last reader has moved on. A reader keeps at most one alive, so
// beside its logs a stream holds at most one segment a viewer that is behind, for
// at most StallLimit.
//
// A second log, of FLV tags, exists while it has a user, filled from the last key
// frame when it is made.
//
// # Headers
//
// Headers are metadata, sequence headers and what else configures a decoder, per
// track. They are immutable and replaced. One equal to that in force is dropped;
// a changed one goes into the log where it belongs, before the frames that need
// it. A join point remembers the headers in force at it and where in the log the
// latest of them ended (hdrEnd), so that for a reader that has everything up to
// p the question "did the headers change?" is hdrEnd > p. For joiners they are
// encoded once per join point, at the first.
//
// # Who owns what
//
//	publisher, with Stream.mu   epoch, writer, clock, headers, log (but what is published), current segment
//	published by atomics        log.end, table, join, head; segment.n, sealed; stream.logs, cursors
//	its pump, with pump.turn    reader and state of a Viewer, group.viewers, the lane, the blocked list
//	its goroutine               reader of a Cursor
//	any, with hub.mu            the map of streams and their holds
//	any, with Viewer.mu         control bytes that wait
//
// Locks are taken in the order pump.turn, Stream.mu, then hub.mu or pump.mu, which are
// leaves. A pump takes Stream.mu when a viewer leaves, never to serve one. Nobody
// waits for a pump but Hub.Close, nor for a turn but the pump.
//
// # Pumps
//
// One goroutine a core, each with its own viewers, grouped by log. An append puts
// the groups that have news on their pumps' stacks (a compare-and-swap each) and
// wakes those pumps that sleep, or, if that is quickly done and nothing else follows at once,
// does their work (atonce.go). A pump walks the viewers of such groups: those that
// have everything up to the same place stand in a lane (lane.go), of which a pass
// reads 16 bytes each. There is no lock, channel, goroutine switch or allocation per viewer and message.
// While sending each message at once takes less than a twentieth of its time, it does
// that; beyond, it walks once in MaxLatency, and a write takes along all that came in 100 ms
// (pace.go). Sockets that take no more are tried again by
// timer. Joins, leaves and control come by mailbox, at any time.
//
// # The timeline
//
// Publishers' 32-bit timestamps become one 64-bit clock of ms. A publisher's own clock is its
// base; all frames of a base are moved by one shift ([Clock]), so each has one time
// on its base wherever it is delivered. The first source keeps its own times. A source
// on another base is moved, all its tracks by the same amount, to one frame after the end of
// the last; its pictures start at a key frame. Of a base that was here before, what was
// delivered is dropped, and if it was the last one its times go on. On no track does time go back.
//
// A reader that is another node is told of each clock before its first frame, and may
// begin at an earlier join point: the newest one that is not after what it has ([Position]).
// [Continuity] is the same for messages without a log.
//
// # The caller's duties, in order
//
//  1. [Hub.Open] or [Hub.Lookup], and [Stream.Release] at the end.
//  2. A source: [Stream.Attach] with its epoch, [Writer.SetClock] if its clock is not
//     known then, [Writer.Write] from one goroutine, [Writer.Close]. Splitting aggregates and taking off
//     @setDataFrame is the caller's work.
//  3. When the stream is over, and not just its source: [Stream.End].
//  4. A viewer on a plain socket: announce [ChunkSize] in its preamble, answer
//     createStream with [StreamID], [Stream.Join], send everything later through
//     [Viewer.Send], and close the socket in or after OnEnd, never before
//     it: see [NewSocketSink]. Other paths: [Stream.NewCursor].
//
// OnEnd, wake and Observer are called by goroutines that serve everybody: they
// must not block.
//
// The package knows no protocol session, no socket but through [Sink], and makes
// no decisions about who may write or watch.
package live
