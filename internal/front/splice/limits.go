package splice

import "time"

const (
	// pagesFrom is how much visits have to find, of late, to be moved by pages. Why not less: at 6 KB
	// nothing is gained, at 1.4 KB two splices cost more than recv and send (7.3 against 6.5 us). Why
	// not more: at 14 KB they cost the same one after another, but among 500 sessions, whose memory the
	// processor has long forgotten, pages cost up to a fifth less.
	pagesFrom = 8 << 10
	// copyMax is how much one read copies at most, and what a session may hold in memory for an
	// end that does not take it.
	copyMax = 16 << 10
	// pipeSize is a pipe's capacity. Why not the default of 64 KiB: it has 16
	// slots, and a packet takes one however small it is. Why not larger: an
	// unprivileged user has 16,384 pages of pipes in all.
	pipeSize = 256 << 10
	// DefaultPipes is how many sessions may hold data in a pipe at once. Why not
	// larger: with pipeSize they are half of an unprivileged user's allowance. Why
	// not smaller: on real networks some per cent of the viewers are behind.
	DefaultPipes = 128
	// moveMax bounds what one visit moves, so that a fast session does not keep
	// others waiting.
	moveMax = 1 << 20

	// gatherTime is how long a loop that has just moved something lets more come
	// together before it looks again, or half of Options.MaxAdded. Why not longer: it
	// delays. Why not shorter: each look costs some microseconds, and a server that
	// serves a thousand needs that long to get round.
	gatherTime = 5 * time.Millisecond

	// perLoop is how many sessions a loop has before the next loop is used. Fewer
	// loops find more to do at each look.
	perLoop = 1000

	// halfClosed is how long the second direction may go on when the first has
	// ended. Why not longer: no server of ours goes on after its client has left.
	halfClosed = 5 * time.Second
	// lastWords is how long an end has to close when a session is ended from
	// outside.
	lastWords = 2 * time.Second
	// checkTime is how often limits are looked at.
	checkTime = 500 * time.Millisecond
)
