package load

import "time"

const (
	// maxPolls run at a time. Why not fewer: a wave of frozen backends holds each for pollTimeout. Why
	// not more: parsing is this machine's processor time.
	maxPolls = 32

	// DefaultInterval between two polls. Why not shorter: a busy server's answer has megabytes. Why
	// not longer: decisions are made on it; reservations bridge it.
	DefaultInterval = 5 * time.Second
	// leastInterval: below it, byte counters say little.
	leastInterval = 500 * time.Millisecond
	// jitter is the part by which intervals differ: several fronts poll the same servers.
	jitter = 0.1
	// firstWithin spreads the first polls of backends that come together.
	firstWithin = 250 * time.Millisecond

	// pollTimeout is for all requests of one poll. Why not longer: a report that takes longer is old.
	pollTimeout = 4 * time.Second

	// A view is used until it is maxMissed intervals old, and at least maxAge. Why not shorter: a server that
	// restarts its web part is no other server. Why not longer: a wrong figure is worse than none.
	maxMissed = 6
	maxAge    = 30 * time.Second

	// maxStatBytes bounds /stat: 100,000 clients at 350 bytes each, and as much again.
	maxStatBytes = 64 << 20
	// maxPageBytes bounds one page of a list: 1,000 items of 8 KiB.
	maxPageBytes = 8 << 20
	// pageItems is asked for; SRS gives 10 otherwise, MediaMTX 100.
	pageItems = 1000
	// leastPage is the shortest full page that any server sends by itself: a shorter one is the last.
	leastPage = 10
	// maxPages bounds a list: a million items.
	maxPages = 1000

	// maxStreams are kept of one backend: 10 MB. Why not more: no server of today carries them.
	maxStreams = 100_000

	// maxBPS and maxCount are what cannot be: 10 Tb/s, ten million sessions at one server.
	maxBPS   = 1e13
	maxCount = 10_000_000

	// Of the XML of /stat: nginx nests 9 deep, its names have up to 18 bytes, its texts are names of streams
	// and clients' own words.
	maxDepth   = 16
	maxTagName = 64
	maxTag     = 4 << 10
	maxText    = 4 << 10
	maxEntity  = 12 // &#x10FFFF;

	// maxBlanks in a row, in JSON: indentation.
	maxBlanks = 4 << 10
	// maxJSONDepth: the APIs nest 5 deep.
	maxJSONDepth = 32
)
