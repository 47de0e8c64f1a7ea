package stamp

import (
	"fmt"
	"time"

	"weir/flv"
)

// Counter judges what one viewer of one stream receives, in order of arrival.
//
// In each track, and within one epoch, sequence numbers must rise by one:
//
//	sequence > last+1    the ones between are lost
//	sequence ≤ last      doubled (a connection keeps order, so it was seen before)
//
// A higher epoch than the last is the publisher's next run and starts a new count; a
// lower one is foreign: some receiver has let a fenced publisher through. A Counter
// belongs to one goroutine.
type Counter struct {
	stream uint64
	late   time.Duration
	video  track
	audio  track
	last   time.Time // arrival of the last frame
	r      Report
}

// track is the state of one track; started is false until its first frame.
type track struct {
	started   bool
	epoch     uint64
	sequence  uint64
	timestamp int64
	header    bool
}

// Report is what a viewer saw. A healthy viewer has all of Faults at zero.
type Report struct {
	Video, Audio int // frames, without sequence headers
	Headers      int // sequence headers
	Bytes        int64

	Lost      uint64 // missing in a track's sequence
	Doubled   uint64
	Foreign   uint64 // of another stream, or of a fenced epoch
	Unstamped uint64 // neither header nor stamped frame
	Backwards uint64 // timestamp not above the track's previous one
	Late      uint64 // received more than the limit after it was sent

	// HeadersMissing counts frames that arrived before their track's sequence
	// header, KeyMissing is 1 if the first picture was no key frame.
	HeadersMissing, KeyMissing uint64

	Switches      int           // epochs after the first
	LongestGap    time.Duration // between two arrivals
	LongestDelay  time.Duration // from sent to received
	TotalDelay    time.Duration // over all stamped frames: the mean is TotalDelay / (Video+Audio)
	First, Last   time.Time     // arrivals
	LastTimestamp int64         // milliseconds, unwrapped, of the last frame
	Epoch         uint64
}

// NewCounter returns a counter for a viewer of the named stream. A frame is late
// when it arrives more than late after it was sent; 0 = never.
func NewCounter(name string, late time.Duration) *Counter {
	return &Counter{stream: ID(name), late: late}
}

// Report returns the counts so far.
func (c *Counter) Report() Report { return c.r }

// Observe takes one audio or video message that arrived at now. Messages of other
// types (metadata) are ignored.
func (c *Counter) Observe(typ uint8, timestamp uint32, payload []byte, now time.Time) {
	var t *track
	switch typ {
	case flv.TagVideo:
		t = &c.video
	case flv.TagAudio:
		t = &c.audio
	default:
		return
	}
	c.arrived(len(payload), now)
	ts := t.unwrap(timestamp)

	prefix, header, key := classify(typ, payload)
	if header {
		// A header may share its timestamp with the frame after it, or with the last.
		t.header = true
		c.r.Headers++
		return
	}
	if prefix > len(payload) {
		c.r.Unstamped++
		return
	}
	st, err := Parse(payload[prefix:])
	if err != nil {
		c.r.Unstamped++
		return
	}
	if !t.header {
		c.r.HeadersMissing++
	}
	if typ == flv.TagVideo {
		c.r.Video++
		if !t.started && !key {
			c.r.KeyMissing++
		}
	} else {
		c.r.Audio++
	}
	c.delay(now.Sub(st.Sent))
	c.sequence(t, st)
	if t.started && ts <= t.timestamp {
		c.r.Backwards++
	}
	t.started, t.timestamp = true, ts
	c.r.LastTimestamp = ts
}

func (c *Counter) arrived(n int, now time.Time) {
	c.r.Bytes += int64(n)
	if c.last.IsZero() {
		c.r.First = now
	} else {
		c.r.LongestGap = max(c.r.LongestGap, now.Sub(c.last))
	}
	c.last, c.r.Last = now, now
}

func (c *Counter) delay(d time.Duration) {
	c.r.LongestDelay = max(c.r.LongestDelay, d)
	c.r.TotalDelay += max(d, 0)
	if c.late > 0 && d > c.late {
		c.r.Late++
	}
}

func (c *Counter) sequence(t *track, st Stamp) {
	switch {
	case st.Stream != c.stream || st.Epoch < c.r.Epoch:
		c.r.Foreign++
		return
	case st.Epoch > c.r.Epoch:
		if c.video.started || c.audio.started {
			c.r.Switches++
		}
		c.r.Epoch = st.Epoch
	}
	switch {
	case !t.started || st.Epoch != t.epoch:
	case st.Sequence <= t.sequence:
		c.r.Doubled++
		return
	default:
		c.r.Lost += st.Sequence - t.sequence - 1
	}
	t.epoch, t.sequence = st.Epoch, st.Sequence
}

// unwrap continues the track's timestamp over 2^32.
func (t *track) unwrap(ts uint32) int64 {
	if !t.started {
		return int64(ts)
	}
	return t.timestamp + int64(int32(ts-uint32(t.timestamp)))
}

// classify returns where the stamp begins in a payload that this package made.
func classify(typ uint8, p []byte) (prefix int, header, key bool) {
	if len(p) < 2 {
		return len(p) + 1, false, false
	}
	if typ == flv.TagAudio {
		return audioPrefix, p[1] == 0, false
	}
	return videoPrefix, p[1] == 0, p[0]>>4 == 1
}

// Faults returns the counts that a healthy viewer has at zero, in words, or "".
func (r Report) Faults() string {
	var s string
	for _, f := range []struct {
		what string
		n    uint64
	}{
		{"lost", r.Lost},
		{"doubled", r.Doubled},
		{"foreign", r.Foreign},
		{"unstamped", r.Unstamped},
		{"backwards", r.Backwards},
		{"late", r.Late},
		{"before their header", r.HeadersMissing},
		{"without a key frame first", r.KeyMissing},
	} {
		if f.n != 0 {
			s += fmt.Sprintf(", %d %s", f.n, f.what)
		}
	}
	if s == "" {
		return ""
	}
	return s[2:]
}
