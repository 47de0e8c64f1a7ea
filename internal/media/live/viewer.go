package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// JoinOptions describe a viewer.
type JoinOptions struct {
	Sink Sink
	Form Form
	// Preamble is sent before anything else, Trailer after everything when the
	// stream ends: whole messages in the form of the log (an RTMP Play.Start, an
	// FLV file header; an RTMP StreamEOF).
	Preamble, Trailer []byte
	// From and Tell are for another server as the viewer: see [Cursor.StartFrom] and
	// [Cursor.Tell]. Pumps call Tell.
	From Position
	Tell func(Clock) []byte
	// NoVideo and NoAudio leave that kind out, as SetReceive does.
	NoVideo, NoAudio bool
	// OnEnd is called exactly once, when the viewer is finished, its sink no longer
	// used, and its reference to the stream given back. err is the sink's with ReasonWriteFailed. It is called by a
	// pump, which serves thousands of others: it must not block. It may be called
	// before Join has returned.
	OnEnd func(Reason, error)
}

// Viewer is a cursor that a pump moves. Its methods may be called by any
// goroutine, also after its end.
type Viewer struct {
	// Static after Join.
	stream  *Stream
	group   *group
	sink    Sink
	trailer []byte
	onEnd   func(Reason, error)

	// Owned by the pump.
	r          reader
	index      int  // in group.viewers, or in the lane's slots
	inLane     bool // see lane
	blockedAt  int  // in pump.blocked; -1 = not blocked
	paused     bool //
	ending     Reason
	trailed    bool
	progressed time.Duration // the last time that a byte was taken, or that there was nothing to take
	retryAt    time.Duration
	backoff    time.Duration

	// Written by the pump, read by all.
	sent  atomic.Int64 // bytes taken, × 2; in a lane bytes - lane.off, × 2 + 1
	skips atomic.Int64
	gone  atomic.Bool

	// Control bytes, from any goroutine to the pump.
	hasControl atomic.Bool
	mu         sync.Mutex
	control    []byte        // guarded by mu
	room       chan struct{} // guarded by mu; closed when control is empty, or the viewer gone; nil if nobody waits
}

// Join adds a viewer: the preamble, the headers, then the log from the last key
// frame on. Without a key frame it gets the headers and waits for one.
func (s *Stream) Join(o JoinOptions) *Viewer {
	h := s.hub
	h.hold(s)
	v := &Viewer{stream: s, sink: o.Sink, trailer: o.Trailer, onEnd: o.OnEnd, blockedAt: -1}
	p := h.pick()
	p.viewers.Add(1)
	s.viewers.Add(1)

	// Under mu, so that an End is either before the viewer or in its mailbox behind it.
	s.mu.Lock()
	l := s.use(o.Form)
	v.r = newReader(l)
	v.r.pre = o.Preamble
	if o.Tell != nil {
		v.r.origin = &origin{from: o.From, tell: o.Tell}
	}
	v.r.deny = deny(!o.NoAudio, !o.NoVideo)
	v.group = l.group(p, s)
	posted := p.post(mail{op: opJoin, viewer: v})
	s.mu.Unlock()
	if !posted {
		v.quit()
		v.leave(ReasonShutdown, ErrClosed)
	}
	return v
}

func deny(audio, video bool) (f flags) {
	if !audio {
		f |= flagAudio
	}
	if !video {
		f |= flagVideo
	}
	return f
}

// Send sends control bytes (whole messages) at the next message boundary, before
// what the viewer has not got yet. b is copied.
func (v *Viewer) Send(b []byte) error {
	v.mu.Lock()
	if v.gone.Load() {
		v.mu.Unlock()
		return ErrViewerGone
	}
	if len(v.control)+len(b) > MaxControlBytes {
		v.mu.Unlock()
		return ErrControlFull
	}
	first := len(v.control) == 0
	v.control = append(v.control, b...)
	v.hasControl.Store(true)
	v.mu.Unlock()
	if first {
		v.group.pump.post(mail{op: opServe, viewer: v})
	}
	return nil
}

// Write is Send for whole messages of any size, from one who may wait for it: until
// what was sent before has been taken. It is how others write to a connection
// whose write side is a viewer's.
func (v *Viewer) Write(b []byte) error {
	for {
		v.mu.Lock()
		switch {
		case v.gone.Load():
			v.mu.Unlock()
			return ErrViewerGone
		case len(v.control) == 0:
			v.control = append(v.control, b...)
			v.hasControl.Store(true)
			v.mu.Unlock()
			v.group.pump.post(mail{op: opServe, viewer: v})
			return nil
		case v.room == nil:
			v.room = make(chan struct{})
		}
		room := v.room
		v.mu.Unlock()
		<-room
	}
}

// Unsent returns, once, what was sent or written and came too late: the viewer
// had ended. Call it after OnEnd.
func (v *Viewer) Unsent() []byte { return v.takeControl() }

// takeControl returns the control bytes that wait.
func (v *Viewer) takeControl() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	b := v.control
	v.control = nil
	v.hasControl.Store(false)
	v.free()
	return b
}

// free lets those in Write look again; mu is held.
func (v *Viewer) free() {
	if v.room != nil {
		close(v.room)
		v.room = nil
	}
}

// Pause stops the media, or goes on with it from the newest key frame. Control
// bytes are sent during a pause too.
func (v *Viewer) Pause(paused bool) {
	op := opResume
	if paused {
		op = opPause
	}
	v.group.pump.post(mail{op: op, viewer: v})
}

// SetReceive chooses the kinds that are sent. Headers are sent always. A viewer
// that does not take both costs a write per run of messages instead of one for all.
func (v *Viewer) SetReceive(audio, video bool) {
	v.group.pump.post(mail{op: opReceive, viewer: v, deny: deny(audio, video)})
}

// Close takes the viewer off: OnEnd(ReasonLeft, nil) follows unless it has ended.
func (v *Viewer) Close() { v.group.pump.post(mail{op: opLeave, viewer: v}) }

// Finish is Close at the next message boundary, for a connection that goes on
// without the viewer: what has begun is sent to its end, and no trailer.
func (v *Viewer) Finish() { v.group.pump.post(mail{op: opFinish, viewer: v}) }

// ViewerStats are a viewer's counters.
type ViewerStats struct {
	Bytes int64 // taken by its sink
	Skips int64 // times that it lost part of the stream
}

// Stats returns the viewer's counters. They never fall.
func (v *Viewer) Stats() ViewerStats { return ViewerStats{Bytes: v.bytes(), Skips: v.skips.Load()} }

func (v *Viewer) bytes() int64 {
	for {
		x := v.sent.Load()
		if x&1 == 0 {
			return x >> 1
		}
		off := v.group.lane.off.Load()
		if v.sent.Load() == x { // else it has left the lane, which may have gone on without it
			return x>>1 + int64(off)
		}
	}
}
