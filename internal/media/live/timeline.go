package live

import (
	"math"
	"time"
)

// timeline turns a publisher's 32-bit timestamps into one 64-bit clock in ms
// that survives sources:
//
//	stream time = unwrapped publisher time + offset
//	dts of a track never decreases
//	one offset for all tracks of a source: what was in step stays in step
//
// It is a plain value without clock or lock; its stream's mutex guards it.
type timeline struct {
	id     string
	name   string // see Stream.Timeline
	begun  bool   // something was delivered
	joined bool   // the current source has delivered something, or goes on with the clock of the last
	offset int64  // stream time minus unwrapped publisher time
	raw    int64  // the last unwrapped publisher time
	last   int64  // the newest stream time of any track
	step   int64  // the last frame interval, of video if there is any
	stepBy flags  // whose interval it is
	splice int64  // until this stream time sound that would overlap is dropped
	tracks []trackClock
}

type trackClock struct {
	kind   flags
	id     uint8
	last   int64 // stream time of its last message
	resume int64 // what is not newer was delivered by the last source; noResume once past it
}

const (
	noResume = math.MinInt64
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
)

// attach prepares for a new source. unique is a word that no other attachment,
// here or at another node, has.
func (t *timeline) attach(id, unique string) {
	same := t.begun && id == t.id
	switch {
	case same:
	case t.begun:
		t.name = id + "+" + unique
	default:
		t.name = id
	}
	t.id, t.joined = id, same
	for i := range t.tracks {
		c := &t.tracks[i]
		if c.resume = noResume; same {
			c.resume = c.last
		}
	}
}

// unwrap extends a 32-bit timestamp to the value nearest to the last one.
func (t *timeline) unwrap(ts uint32) int64 {
	if !t.joined {
		return int64(ts)
	}
	return t.raw + int64(int32(ts-uint32(t.raw)))
}

// media places a frame of audio or video. A reason other than "" means that it
// must not be delivered.
func (t *timeline) media(kind flags, id uint8, ts uint32) (ms int64, r Reason) {
	raw := t.unwrap(ts)
	if !t.joined {
		t.offset = 0
		if t.begun {
			t.rebase(raw)
		}
		t.joined = true
	}
	t.raw = raw
	ms = raw + t.offset
	c := t.track(kind, id)
	if c == nil {
		t.tracks = append(t.tracks, trackClock{kind: kind, id: id, last: ms, resume: noResume})
		t.deliver(ms)
		return ms, ""
	}
	if d := c.resume - ms; c.resume != noResume && d >= 0 && d <= maxRepeat.Milliseconds() {
		return ms, ReasonAlreadyDelivered
	}
	c.resume = noResume
	d := ms - c.last
	switch {
	case d < -maxReorder.Milliseconds():
		t.rebase(raw)
		t.name += "+"
		ms = raw + t.offset
	case d < 0 && kind == flagAudio && ms < t.splice:
		return ms, ReasonSpliceOverlap
	case d < 0 || d == 0 && ms < t.splice:
		ms = c.last + 1
	case d > 0 && d <= maxStep.Milliseconds() && (kind == flagVideo || t.stepBy != flagVideo):
		t.step, t.stepBy = d, kind
	}
	c.last = ms
	t.deliver(ms)
	return ms, ""
}

// rebase makes the publisher time raw fall one frame after the end of what was
// delivered.
func (t *timeline) rebase(raw int64) {
	step := t.step
	if step == 0 {
		step = defaultStep.Milliseconds()
	}
	t.offset = t.last + step - raw
	t.splice = t.last + maxReorder.Milliseconds()
}

func (t *timeline) deliver(ms int64) {
	t.begun = true
	t.last = max(t.last, ms)
}

// beside places a header or timed data. It does not move the clock: encoders
// stamp them with anything.
func (t *timeline) beside(ts uint32) int64 {
	if !t.begun {
		return int64(ts)
	}
	if !t.joined {
		return t.last
	}
	ms := t.unwrap(ts) + t.offset
	if d := ms - t.last; d < -maxStray.Milliseconds() || d > maxStray.Milliseconds() {
		return t.last
	}
	return max(ms, 0)
}

// data places timed data: like beside, but never back, and once only.
func (t *timeline) data(ts uint32) (ms int64, r Reason) {
	ms = t.beside(ts)
	c := t.track(0, 0)
	if c == nil {
		t.tracks = append(t.tracks, trackClock{last: ms, resume: noResume})
		return ms, ""
	}
	if d := c.resume - ms; c.resume != noResume && d >= 0 && d <= maxRepeat.Milliseconds() {
		return ms, ReasonAlreadyDelivered
	}
	ms = max(ms, c.last)
	c.last, c.resume = ms, noResume
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
