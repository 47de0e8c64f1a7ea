// Package relay moves streams between servers: it pulls a stream from its owner
// while somebody here wants it, and pushes one to another server.
//
// # Pull
//
// [Pulls] answers "I have a viewer for this stream". The first [Pulls.Want]
// starts one pull, later ones share it, and the last one's release ends it after
// a grace, within which a new one revives it. So there is exactly one pull per
// (node, stream) while somebody watches (promise P6). The life of one pull:
//
//	          want                 found, Play.Start
//	(none) ─────────▶ locating ─────────────────────▶ fed
//	                   │    ▲                          │ feed ended, silent, or
//	         not found │    │ owner appears, or        │ a higher epoch elsewhere
//	   (and no wait)   │    │ back-off is over         ▼
//	                   ▼    └────────────────────── locating, viewers kept
//	                 (none)                            │ nobody publishes for longer
//	                                                   ▼ than the grace
//	                                        stream ends for its viewers
//
// A stream that is published on this very node is "fed" by its publisher; the
// pull then only stands by, so that viewers outlive the publisher's absence here
// as anywhere else.
//
// # Connections between nodes
//
// [Peers] keeps few connections to each node and runs many feeds over each, one
// NetStream a feed. Every connection begins with the proof of package member: both
// sides show that they hold the cluster secret. A connection that answers
// nothing, not even pings, for [PeerSilence] is closed, and all its feeds move.
//
// # Push
//
// [Push] is the other direction: one connection a stream, a cursor over its log,
// the far side sees a publisher. A front carries publishers with it. The answers to its pings say what
// a member has read; the stream keeps the rest for the next push. Where there are many pushes they
// take turns (live.Rounds), and their pings go along with media.
//
// # Goroutines and memory
//
// One reader and one keep-alive a node-to-node connection; one a pull, asleep
// while the feed runs; two a push. A feed's reader appends to the log itself:
// no hand-over, and nothing here holds media.
//
// What relay does not do: choose a server. It asks a [Locator], and it is told
// an address.
package relay
