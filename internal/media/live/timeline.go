package live

import (
	"slices"
	"time"
)

// timeline turns the times of one source after the other into one 64-bit clock
// in ms:
//
//	base time   = unwrapped source time - in        the publisher's clock
//	stream time = base time + offset
//	a frame of a base that was delivered is not delivered again
//	dts of a track never decreases
//	one offset for all tracks of a base: what was in step stays in step
//
// It is a plain value without clock or lock; its stream's mutex guards it.
type timeline struct {
	begun  bool        // something was delivered
	known  []*progress // of the latest bases, on the last of them in use
	src    *progress   // of the source's base
	on     *progress   // of the base that was delivered last; src once the source has delivered, or if it goes on there
	in     uint32      // source time minus base time
	offset int64       // stream time minus base time, for on
	last   int64       // the newest stream time of any track
	step   int64       // the last frame interval, of video if there is any
	stepBy flags       // whose interval it is
	splice int64       // until this stream time a track may begin before the end of its last source's
	tracks []trackClock
	behind behind // of the source
}

type trackClock struct {
	kind flags
	id   uint8
	last int64 // stream time of its last message
	over bool  // which another source sent, or this one before it restarted its clock
}

const (
	// defaultStep is the distance at a splice if no interval is known: 25 frames a second.
	defaultStep = 40 * time.Millisecond
	// maxStep: longer distances are pauses, not intervals.
	maxStep = time.Second
	// maxReorder is how far a track may step back within a source and still be
	// taken for disorder. Beyond it the encoder has restarted its clock.
	maxReorder = time.Second
	// maxRepeat is how far back a source that resumes may begin. Why not smaller:
	// it starts at its last key frame, up to RetainTime ago. Beyond it the claim
	// to go on with the same clock is wrong.
	maxRepeat = 60 * time.Second
	// maxStray is how far data and headers may be from the media around them;
	// beyond it (encoders stamp them 0) they take the time of the last frame.
	maxStray = 10 * time.Second
	// positionSlack is how far tracks that go on may be apart. Why not larger: what a track
	// that has ended lacks is asked for each time that the source changes.
	positionSlack = time.Second
	// maxClocks is how many publishers' clocks a stream remembers. Why not 1: a
	// publisher that was carried to a server and back comes on the clock before the last. Why
	// not more: each is a newcomer's that had the name in between.
	maxClocks = 8
)

// begin prepares for a source on a clock.
func (t *timeline) begin(c Clock) {
	t.in, t.behind = c.Shift, behind{}
	i := slices.IndexFunc(t.known, func(p *progress) bool { return p.base == c.Base && p.base != "" })
	if i < 0 {
		if t.known = append(t.known, &progress{base: c.Base}); len(t.known) > maxClocks {
			i := slices.IndexFunc(t.known, func(p *progress) bool { return p != t.on })
			t.known = slices.Delete(t.known, i, i+1)
		}
		i = len(t.known) - 1
	}
	t.src = t.known[i]
	t.src.resume()
}

// continues reports whether the source goes on with the base that viewers have
// had last.
func (t *timeline) continues() bool { return t.src == t.on }

// follows reports whether what a track was delivered last is of the source's base: then
// the source's next frame continues it.
func (t *timeline) follows(kind flags, id uint8) bool {
	c := t.track(kind, id)
	return t.continues() && (c == nil || !c.over)
}

// clock is that of what was delivered last.
func (t *timeline) clock() Clock {
	if t.on == nil {
		return Clock{}
	}
	return Clock{Base: t.on.base, Shift: uint32(t.offset)}
}

// position is how far the stream has come.
func (t *timeline) position() Position {
	if t.on == nil {
		return Position{}
	}
	return t.on.position()
}

// media places a frame of audio or video that has come now, by any clock that does not jump. A reason
// other than "" means that it must not be delivered.
func (t *timeline) media(now time.Duration, kind flags, id uint8, ts uint32) (ms int64, r Reason) {
	p := t.src
	at := p.unwrap(ts - t.in)
	p.raw, p.begun = at, true
	if p.delivered(kind, id, at) {
		if !t.behind.lives(at, p.mark(kind, id).at, now) {
			return 0, ReasonAlreadyDelivered
		}
		p.resumed()
	}
	if !t.continues() {
		t.enter(ts, at)
	}
	ms = at + t.offset
	c := t.track(kind, id)
	if c == nil {
		t.tracks = append(t.tracks, trackClock{kind: kind, id: id, last: ms})
		t.deliver(kind, id, ms)
		return ms, ""
	}
	d := ms - c.last
	switch {
	case d < -maxReorder.Milliseconds():
		// The encoder has restarted its clock. What is called by the clock's name goes on.
		ms = t.last + t.interval()
		t.in -= uint32(ms - t.offset - at)
		p.raw = ms - t.offset
		t.join()
	case d <= 0 && c.over && ms < t.splice && kind == flagAudio:
		return 0, ReasonSpliceOverlap
	case d <= 0 && c.over && ms < t.splice:
		// Pictures that began before the frame by which the source was placed. All
		// that follows moves with them, so that base times stay what they are.
		t.offset += 1 - d
		ms = c.last + 1
	case d < 0:
		ms = c.last + 1
	case d > 0 && d <= maxStep.Milliseconds() && (kind == flagVideo || t.stepBy != flagVideo):
		t.step, t.stepBy = d, kind
	}
	c.last, c.over = ms, false
	t.deliver(kind, id, ms)
	return ms, ""
}

// enter goes over to the base of the source with its first frame: to its own
// times if it is the first, else to one frame after the end.
func (t *timeline) enter(ts uint32, at int64) {
	if t.begun {
		t.offset = t.last + t.interval() - at
		t.join()
	} else {
		t.offset = int64(ts) - at
	}
	t.on = t.src
	i := slices.Index(t.known, t.on)
	t.known = append(slices.Delete(t.known, i, i+1), t.on)
}

// join expects tracks to overlap with what they had.
func (t *timeline) join() {
	t.splice = t.last + maxReorder.Milliseconds()
	for i := range t.tracks {
		t.tracks[i].over = true
	}
}

func (t *timeline) interval() int64 {
	if t.step == 0 {
		return defaultStep.Milliseconds()
	}
	return t.step
}

func (t *timeline) deliver(kind flags, id uint8, ms int64) {
	t.begun = true
	t.last = max(t.last, ms)
	t.on.note(kind, id, ms-t.offset)
}

// beside places a header or timed data. It does not move the clock: encoders
// stamp them with anything.
func (t *timeline) beside(ts uint32) int64 {
	if !t.begun {
		return int64(ts)
	}
	if !t.continues() {
		return t.last
	}
	ms := t.src.unwrap(ts-t.in) + t.offset
	if d := ms - t.last; d < -maxStray.Milliseconds() || d > maxStray.Milliseconds() {
		return t.last
	}
	return max(ms, 0)
}

// data places timed data: like beside, but never back, and once only.
func (t *timeline) data(ts uint32) (ms int64, r Reason) {
	ms = t.beside(ts)
	at := ms - t.offset
	if !t.continues() {
		at = t.src.unwrap(ts - t.in)
	}
	if t.src.delivered(0, 0, at) {
		return 0, ReasonAlreadyDelivered
	}
	if !t.begun || !t.continues() {
		return ms, ""
	}
	c := t.track(0, 0)
	if c == nil {
		t.tracks = append(t.tracks, trackClock{last: ms})
		c = &t.tracks[len(t.tracks)-1]
	}
	ms = max(ms, c.last)
	c.last = ms
	t.on.note(0, 0, ms-t.offset)
	return ms, ""
}

func (t *timeline) track(kind flags, id uint8) *trackClock {
	for i := range t.tracks {
		if c := &t.tracks[i]; c.kind == kind && c.id == id {
			return c
		}
	}
	return nil
}
