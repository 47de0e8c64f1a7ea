package live

import "time"

// finish lets the viewer end where its current message does. Pump only.
func (v *Viewer) finish() {
	if v.ending != "" {
		return
	}
	v.ending, v.trailer = ReasonLeft, nil
	v.r.limit = v.r.off
	if v.r.mid {
		v.r.limit += uint64(len(v.r.restOfMessage()))
	}
}

// took counts bytes that the sink has taken, outside the lane. Pump only.
func (v *Viewer) took(n int) { v.sent.Add(2 * int64(n)) }

// serve sends what the viewer lacks up to end, as far as its sink takes it. It
// reports false once the viewer has ended. Pump only.
func (v *Viewer) serve(now time.Duration, end uint64) bool {
	for range writesPerVisit {
		b := v.next(now, end)
		if len(b) == 0 {
			if v.trailed {
				v.group.pump.drop(v, v.ending, nil)
				return false
			}
			v.group.pump.unblock(v)
			return true
		}
		n, err := v.sink.TryWrite(b)
		if n > 0 {
			v.took(n)
			v.progressed = now
		}
		if err != nil {
			v.group.pump.drop(v, ReasonWriteFailed, err)
			return false
		}
		if n < len(b) {
			v.r.advance(n)
			v.r.behind = true
			v.group.pump.block(v, now, n > 0)
			return true
		}
		v.r.took(n)
		if v.r.caughtUp(stampOf(now)) && !v.hasControl.Load() && v.ending == "" {
			// What came since makes the group dirty again, and goes out with more.
			v.group.pump.unblock(v)
			return true
		}
	}
	// It would take more, but so would the others.
	v.r.behind = true
	v.group.pump.yield(v, now)
	return true
}

// next returns the bytes to send: control at the first boundary, then media,
// then at the end the trailer.
func (v *Viewer) next(now time.Duration, end uint64) []byte {
	r := &v.r
	r.upTo = noLimit
	if len(r.out) > 0 {
		return r.out
	}
	if len(r.pre) == 0 && (v.hasControl.Load() || v.paused && v.ending == "") {
		switch {
		case r.mid:
			return r.restOfMessage()
		case v.hasControl.Load():
			r.out = v.takeControl()
			return r.out
		}
		return nil
	}
	if !v.paused || r.mid || len(r.pre) > 0 {
		before := r.skips
		b := r.next(stampOf(now), end)
		if r.skips != before {
			v.skips.Add(1)
			v.stream.count(r.skippedBy, 1)
		}
		if len(b) > 0 {
			return b
		}
	}
	if v.ending != "" && !v.trailed {
		v.trailed = true
		r.out = v.trailer
	}
	return r.out
}

// quit marks the viewer as gone; false if it was. What it is sent from now on is Unsent.
func (v *Viewer) quit() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.gone.Swap(true)
	v.free()
	return !was
}

// leave does what is left when the viewer is in no group any more.
func (v *Viewer) leave(reason Reason, err error) {
	v.group.pump.viewers.Add(-1)
	v.stream.viewers.Add(-1)
	v.stream.unuse(v.r.log)
	v.stream.count(reason, 1)
	v.r.seg, v.r.out = nil, nil // memory of the log
	// Whoever writes to the socket next waits for answers: Nagle's algorithm would hold
	// each small message back until the peer's delayed acknowledgement.
	setGathering(v.sink, false)
	v.stream.hub.release(v.stream)
	// The last thing: whoever is told may look for what the viewer held.
	if v.onEnd != nil {
		v.onEnd(reason, err)
	}
}
