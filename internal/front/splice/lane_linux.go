package splice

import "time"

// The lane is for sources that send often and little, as nginx-rtmp does: a
// packet a message, 77 a second a viewer. Each costs a wake-up, a read and a send, and
// the send is the dear one. In the lane a source is visited by the clock, once
// in Options.MaxAdded, and its packets wake nobody until laneMark bytes have come: then
// it is visited at once, so that a burst is not held up and the receive window
// stays open.
//
//	        ≥ laneGain visits in MaxAdded, each below copyMax, though patient
//	(epoll) ────────────────────────────────────────────────────────────────▶ (lane)
//	        ◀────────────────────────────────────────────────────────────────
//	        a third of the visits, or laneEmpty in a row, found nothing
//
// Before that its acknowledgements are made to wait, see patience_linux.go, which may be
// all it needs. A source that sends in bursts further apart than that stays with epoll, which
// adds nothing and visits nobody in vain.
const (
	// laneSlots is into how many parts the visits of a period are spread.
	laneSlots = 8
	// laneMark: why not smaller, a key frame would wake the loop for each of its
	// parts. Why not larger: it has to fit the receive buffer by far.
	laneMark = 32 << 10
	// laneGain: one visit instead of two is the least that is worth a late packet.
	laneGain = 2
	// laneEmpty is after how many visits in a row that find nothing a source leaves. Why not fewer: a
	// pause of a picture or two is none.
	laneEmpty = 3
	// laneVain is what a visit in vain counts, of those that were not. At a third of them the
	// lane saves nothing any more: a source of bursts that came in by its beginning leaves.
	laneVain = 2
	// laneJudge is after how many visits a source is judged. Why not fewer: the
	// conversation before the media, and the group of pictures that comes at once,
	// are no pattern.
	laneJudge = 16
	// laneMin is the least MaxAdded at which there is a lane: below, a source would
	// have to send hundreds of packets a second.
	laneMin = 8 * time.Millisecond
)

// laneState is a flow's place in the lane and what it is judged by.
type laneState struct {
	in          bool
	refused     bool // the socket takes no mark
	slot, index int
	vain        int // visits that found nothing, times laneVain, less those that did; not negative

	visits int // by epoll, since
	since  time.Duration
	bytes  int
}

// lane is a loop's.
type lane struct {
	slots  [laneSlots][]*flow
	n      int
	next   int           // slot
	at     time.Duration // when it is due
	period time.Duration // between two slots; 0: no lane
}

func newLane(maxAdded time.Duration) lane {
	if maxAdded < laneMin {
		return lane{}
	}
	return lane{period: maxAdded / laneSlots}
}

// woken judges a source after epoll has reported it.
func (l *loop) woken(f *flow, got int) {
	st := &f.lane
	if l.lane.period == 0 || st.in || st.refused || got == 0 {
		return
	}
	if st.visits == 0 {
		st.since, st.bytes = l.now, 0
	}
	st.visits++
	st.bytes += got
	if st.visits <= laneJudge {
		return
	}
	turns := int((l.now - st.since) / (l.lane.period * laneSlots)) // visits that the lane would have made
	if st.visits >= laneGain*(turns+1) && st.bytes < st.visits*copyMax && !l.bePatient(f) {
		l.enter(f)
	}
	st.visits = 0
}

func (l *loop) enter(f *flow) {
	if !setMark(f.src.fd, laneMark) {
		f.lane.refused = true
		return
	}
	if l.lane.n == 0 {
		l.lane.at = l.now + l.lane.period
	}
	l.lane.n++
	// The slot that has just been served: a whole period from now.
	at := (l.lane.next + laneSlots - 1) % laneSlots
	for i := range l.lane.slots {
		if len(l.lane.slots[i]) < len(l.lane.slots[at])-1 {
			at = i
		}
	}
	f.lane.in, f.lane.slot, f.lane.index, f.lane.vain = true, at, len(l.lane.slots[at]), 0
	l.lane.slots[at] = append(l.lane.slots[at], f)
}

// leave takes a source out; its socket stays as it is if it is to be closed.
func (l *loop) leave(f *flow, closing bool) {
	if !f.lane.in {
		return
	}
	slot := l.lane.slots[f.lane.slot]
	last := slot[len(slot)-1]
	slot[f.lane.index] = last
	last.lane.index = f.lane.index
	slot[len(slot)-1] = nil
	l.lane.slots[f.lane.slot] = slot[:len(slot)-1]
	f.lane.in = false
	l.lane.n--
	if !closing {
		setMark(f.src.fd, 1)
	}
}

// sweep visits the slots that are due.
func (l *loop) sweep() {
	if l.lane.n == 0 || l.now < l.lane.at {
		return
	}
	slot := &l.lane.slots[l.lane.next]
	l.lane.next = (l.lane.next + 1) % laneSlots
	if l.lane.at += l.lane.period; l.lane.at < l.now {
		l.lane.at = l.now + l.lane.period
	}
	for i := len(*slot) - 1; i >= 0; i-- { // from the end: a visit may take flows out
		if i >= len(*slot) {
			continue
		}
		f := (*slot)[i]
		if f.blocked || f.eof {
			continue
		}
		got := l.visit(f)
		if got > 0 {
			f.lane.vain = max(0, f.lane.vain-1)
		} else if f.lane.in {
			if f.lane.vain += laneVain; f.lane.vain >= laneEmpty*laneVain {
				l.leave(f, false)
			}
		}
	}
}
