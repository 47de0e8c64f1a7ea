package live

import "time"

// pace says when the viewers of a beat are served again: at once as long as there is time
// for that, and every max once there is not.
//
// Between the two there is nothing. A rest in proportion to the cost of a pass, which was
// tried, makes latency and cost grow together: at 100 viewers 10 ms, at 300 50 ms, and each
// of them dearer than with the whole of max. Sending at once is either affordable or not.
//
// The measure is what sending at once would take, whatever is done at present: the cost of
// a write × the messages that came × the viewers. A write of many messages costs more than
// a write of one, so a pump that is busy stays so until a third fewer viewers are left.
type pace struct {
	max time.Duration // static

	busy bool
	// Of the window that is being judged.
	since time.Duration
	cost  time.Duration
	sends int     // writes
	due   int     // writes, had each message been sent at once
	last  float64 // what a write took in the window before
}

const (
	// shareAtOnce: sending at once may take one part in so many of a pump's time. Why not
	// less: 100 viewers of 1.1 Mb/s on two cores see no delay for it. Why not more:
	// at 500 it would be four times what batches cost, for a stream that fills no core either way.
	shareAtOnce = 20
	// judgeAfter is how much time a judgement looks at. Why not less: a burst of messages,
	// or of other processes, is not a load. Why not more: a crowd of joiners waits for it.
	judgeAfter = 100 * time.Millisecond
	// alignLeast is the least bound at which passes wait for a picture: see pace.soft.
	alignLeast = 50 * time.Millisecond
	// realign: pictures that come 25 times a second can be in step with no bound of 100 ms,
	// and trying to be costs a pass of less than its due length.
	realign = 12
)

// share is the part of the pump's time that may go into sending at once. Who allows more
// than the default bound wants it used.
func (p *pace) share() float64 {
	return 1 / (shareAtOnce * max(1, float64(p.max)/float64(DefaultMaxLatency)))
}

// passed notes a pass and returns the time before which there shall be no other.
func (p *pace) passed(start, end time.Duration, sends, due int) time.Duration {
	if p.sends == 0 {
		p.since = start // silence before is not part of it
	}
	p.cost += end - start
	p.sends += sends
	p.due += due
	if window := end - p.since; window >= judgeAfter || float64(p.cost) > p.share()*float64(judgeAfter) {
		p.judge(window)
		p.cost, p.sends, p.due = 0, 0, 0
	}
	if !p.busy {
		return 0
	}
	return start + p.max
}

func (p *pace) judge(window time.Duration) {
	if p.sends > 0 {
		each := float64(p.cost) / float64(p.sends)
		if p.last == 0 {
			p.last = each
		}
		// The lesser of two windows: others on the machine make some of them dear.
		p.busy = min(each, p.last)*float64(p.due) > p.share()*float64(max(window, judgeAfter))
		p.last = each
	}
}

// soft is from when on, after a pass that began at start, a picture of the only
// stream there is makes the next one begin, which else waits for start + max. At 30 or 60
// pictures a second passes then follow right upon a picture, a tenth of max later
// than they would: the picture, instead of being the one that just missed it, is the
// freshest. To fall into step (seek) one may come sooner, every realign passes.
func (p *pace) soft(start time.Duration, seek bool) time.Duration {
	if seek {
		return start + p.max*6/10
	}
	return start + p.max*9/10
}

// late is how much longer than max after the last one a pass waits for that picture. What
// came first still waits no longer than max.
func (p *pace) late() time.Duration { return p.max / 20 }
