package live

import (
	"time"

	"weir/internal/stream"
	"weir/rtmp"
)

// Writer is the source's end of a stream. One goroutine writes.
type Writer struct {
	stream *Stream
}

// Write appends a message of the publisher: audio, video, or data without its
// @setDataFrame. ts is the publisher's own. The payload is copied. Messages that
// are no use to viewers are dropped and counted, without an error: a publisher's
// oddities do not end its stream. The only error is ErrFenced.
//
// It never waits for a viewer, and allocates nothing but segments and, once a
// key frame, a join point. While few watch it sends to them itself: see [Writer.WriteRun].
func (w *Writer) Write(t rtmp.MessageType, ts uint32, payload []byte) error {
	return w.WriteRun(t, ts, payload, false)
}

// WriteRun is Write for messages that have come together. With more, another follows at once: pumps
// are told, and may send both together. Without, viewers who can be served in
// no time (see atOnce) have the message when it returns.
func (w *Writer) WriteRun(t rtmp.MessageType, ts uint32, payload []byte, more bool) error {
	s := w.stream
	s.mu.Lock()
	if s.writer != w {
		s.mu.Unlock()
		return ErrFenced
	}
	r := s.write(t, ts, payload)
	if r != "" {
		s.count(r, 1)
	}
	s.mu.Unlock()
	if r == "" {
		s.wake(t == rtmp.Video, more)
	}
	return nil
}

// Raise gives the source a higher epoch without a new attachment: the ownership
// under which it writes was confirmed, or claimed again. A lower one, or a
// source that is none any more, changes nothing.
func (w *Writer) Raise(e stream.Epoch) {
	s := w.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == w && s.epoch.Less(e) {
		s.epoch = e
	}
}

// SetClock says on which clock what follows is: before the first frame for a source
// whose clock was not known when it was attached, and whenever it changes.
func (w *Writer) SetClock(c Clock) {
	s := w.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == w {
		s.begin(c)
	}
}

// Close takes the source off. The stream and its viewers stay, waiting for the
// next source, until their owner calls [Stream.End].
func (w *Writer) Close() {
	s := w.stream
	s.mu.Lock()
	mine := s.writer == w
	if mine {
		s.writer = nil
	}
	s.mu.Unlock()
	if mine {
		s.hub.release(s)
	}
}

// write is Write with mu held; it returns why the message was dropped.
func (s *Stream) write(t rtmp.MessageType, ts uint32, payload []byte) Reason {
	now := s.hub.now()
	s.meter.add(now, len(payload))
	f, r := classify(t, payload)
	switch {
	case r != "":
		return r
	case f.role != roleFrame:
		return s.writeHeader(stampOf(now), &f, ts, payload)
	case f.kind() == 0:
		return s.writeData(stampOf(now), &f, ts, payload)
	}
	return s.writeFrame(now, &f, ts, payload)
}

// writeHeader passes a header on if it differs from the one in force.
func (s *Stream) writeHeader(now stamp, f *frame, ts uint32, payload []byte) Reason {
	h, again := s.headers.repeated(f, payload, s.source)
	s.headers = h
	if again {
		return ReasonRepeatedHeader
	}
	h = h.with(f, payload, s.source)
	if h.bytes > MaxHeaderBytes {
		return ReasonHeadersTooLarge
	}
	s.headers = h
	if f.video() && !s.video {
		s.video, s.needKey = true, true
		s.videoAt, s.quiet = s.clock.last, 0
	}
	ms := s.clock.beside(ts)
	s.eachLog(func(l *log) {
		l.append(now, f.flags, f.typ, ms, payload)
		l.setHeaders(h, ms)
	})
	return ""
}

// writeFrame places a coded frame on the timeline and appends it.
func (s *Stream) writeFrame(now time.Duration, f *frame, ts uint32, payload []byte) Reason {
	if !s.named {
		s.begin(Clock{})
	}
	if f.video() && s.needKey && !f.key() {
		return ReasonWaitKeyframe
	}
	if needsConfig(f.codec) && !s.headers.has(f.kind(), f.track) {
		return ReasonMediaBeforeHeader
	}
	ms, r := s.clock.media(now, f.kind(), f.track, ts)
	if f.video() && s.clock.follows(f.kind(), f.track) {
		// A key frame that was delivered already opens the way too, if what follows it
		// continues what viewers have.
		s.needKey = false
		s.video, s.videoAt, s.quiet = true, s.clock.last, 0
	}
	if r != "" {
		return r
	}
	s.append(stampOf(now), f, ms, payload)
	return ""
}

// writeData appends timed data.
func (s *Stream) writeData(now stamp, f *frame, ts uint32, payload []byte) Reason {
	if !s.named {
		s.begin(Clock{})
	}
	ms, r := s.clock.data(ts)
	if r == "" {
		s.append(now, f, ms, payload)
	}
	return r
}

// append puts a message into the logs and moves the join points.
func (s *Stream) append(now stamp, f *frame, ms int64, payload []byte) {
	join := f.video() && f.key() && s.leads(f.track)
	if !f.video() {
		s.quiet++
	}
	if s.video && s.quiet >= quietMessages && s.clock.last-s.videoAt > s.hub.opts.RetainTime.Milliseconds() {
		// The pictures have stopped. Joiners need not wait for them; should they
		// come back, a key frame comes first.
		s.video, s.needKey = false, true
	}
	if join || !s.video {
		s.prune()
	}
	clock := s.clock.clock()
	s.eachLog(func(l *log) {
		l.setClock(clock)
		off := l.append(now, f.flags, f.typ, ms, payload)
		switch {
		case join:
			l.key(now, off, ms)
		case !s.video:
			l.mark(now, off, ms)
		}
		if r := l.bound(ms); r != "" && l.form == RTMP {
			s.count(r, 1)
		}
	})
}

// quietMessages is how much else must have come, beside RetainTime on the
// clock, before the pictures count as stopped: about 2 s of sound. The clock
// alone also jumps when a publisher was cut off for a while.
const quietMessages = 100

// leads reports whether a key frame of that video track is a join point. Of
// several tracks it is the one whose key frame comes first in each group, so
// that those of the others follow it; when it falls silent, another.
func (s *Stream) leads(track uint8) bool {
	if !s.leadSet || s.logs[RTMP].Load().join.Load() == nil {
		s.lead, s.leadSet = track, true
	}
	return track == s.lead
}

// prune forgets, at the first join point of a source, the headers that only
// earlier sources sent: a track that is gone must not be announced to joiners.
func (s *Stream) prune() {
	if s.pruned {
		return
	}
	s.pruned = true
	h := s.headers.only(s.source)
	if h == s.headers {
		return
	}
	s.headers = h
	s.eachLog(func(l *log) { l.replaceHeaders(h, s.clock.last) })
}

func (s *Stream) eachLog(f func(*log)) {
	for i := range s.logs {
		if l := s.logs[i].Load(); l != nil {
			f(l)
		}
	}
}
