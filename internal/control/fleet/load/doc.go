// Package load reads what backends report of their own load: nginx-rtmp's /stat, SRS's and MediaMTX's
// APIs. What it finds goes to the registry (fleet.Backends): a place.Load, and the names of the streams that
// the backend has. For a backend that reports nothing the registry counts what this node and the other fronts
// have there.
//
// # What is believed
//
// A backend is a stranger. An answer counts as a whole or not at all: what does not end, is
// compressed, redirects, is not what it should be, or holds figures that cannot be, is refused with a
// [Fault] whose text an operator understands. The last good view stays in use until it is too old
// ([maxAge]); then the backend counts with what this node counts itself. Names that no Weir
// stream could have are left out.
//
// Rates come from the difference of two polls' byte counters; what servers call bandwidth is an average of the
// last 10 to 30 s and follows only for the first poll, or after a restart.
//
// # Resources
//
// Answers are read as they come, never as a whole; memory is bounded by the number of streams that are
// kept (maxStreams). One poll is bounded in time and bytes, and all polls together in number. Goroutines:
// one that follows the registry's changes, one a poll that runs now. The caller closes the [Poller].
//
// Formats: CONTRACTS "nginx-rtmp /stat" and "SRS HTTP API"; MediaMTX's /v3.
package load
