package live

import "time"

const (
	// behindFor is a window in which a source's pace is looked at, and behindWindows how many of them, one after the
	// other, say what it is. Why not fewer: a burst or a stall is in one of them.
	behindFor     = time.Second
	behindWindows = 2
	// behindLeast is how far behind what was delivered such a source is. Why not less: a node that was held up itself
	// is late by that, and gets there.
	behindLeast = 5 * time.Second
)

// behind tells a source that repeats what was delivered from one that lives at another time. What is repeated comes
// as fast as it can. A source that goes on at the pace of a live stream, and is far behind all the same, repeats nothing: the
// times before it were wrong (one frame's that was damaged is enough), and viewers would wait for it to get there.
type behind struct {
	begun   bool
	since   time.Duration // when the window began
	from    int64         // the newest base time by then, ms
	newest  int64         // and now
	windows int           // that were at the pace of a live stream, in a row
}

// lives notes a frame that counts as delivered, at base time at (ms) of a track that has come to mark (ms), and reports
// whether it should not.
func (b *behind) lives(at, mark int64, now time.Duration) bool {
	if !b.begun {
		*b = behind{begun: true, since: now, from: at, newest: at}
		return false
	}
	b.newest = max(b.newest, at)
	took := now - b.since
	if took < behindFor {
		return false
	}
	came := time.Duration(b.newest-b.from) * time.Millisecond
	if b.windows++; came < took*4/5 || came > took*6/5 {
		b.windows = 0
	}
	b.since, b.from = now, b.newest
	return b.windows >= behindWindows && mark-at >= behindLeast.Milliseconds()
}
