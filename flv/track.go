package flv

import "iter"

// MaxTracks bounds the tracks of one message: their ids have eight bits, and an
// id makes no sense twice.
const MaxTracks = 256

// Track is one track's share of a message.
type Track struct {
	ID              uint8
	FourCC          FourCC
	CompositionTime int32  // ms; video only
	Body            []byte // codec data, within the bytes of the message
}

// Tracks yields the tracks of the message p that v was parsed from: one, unless
// v.Multitrack. It does not allocate.
func (v VideoInfo) Tracks(p []byte) iter.Seq[Track] {
	return func(yield func(Track) bool) {
		if v.tracks == 0 {
			yield(Track{FourCC: v.FourCC, CompositionTime: v.CompositionTime, Body: p[min(v.BodyOffset, len(p)):]})
			return
		}
		w := trackWalker{off: v.tracks, layout: v.MultitrackType, fourCC: v.FourCC, timed: v.PacketType == VideoCodedFrames}
		w.walk(p, yield)
	}
}

// Tracks yields the tracks of the message p that a was parsed from: one, unless
// a.Multitrack. It does not allocate.
func (a AudioInfo) Tracks(p []byte) iter.Seq[Track] {
	return func(yield func(Track) bool) {
		if a.tracks == 0 {
			yield(Track{FourCC: a.FourCC, Body: p[min(a.BodyOffset, len(p)):]})
			return
		}
		w := trackWalker{off: a.tracks, layout: a.MultitrackType, fourCC: a.FourCC}
		w.walk(p, yield)
	}
}

// trackWalker goes through the tracks of a multitrack body. Each step takes at
// least one byte.
type trackWalker struct {
	off    int
	layout MultitrackType
	fourCC FourCC
	timed  bool // tracks of codecs that reorder pictures start with a composition time
	body   int  // where the body of the track that next returned starts
}

func (w *trackWalker) walk(p []byte, yield func(Track) bool) {
	for w.off < len(p) {
		t, ok := w.next(p)
		if !ok || !yield(t) {
			return
		}
	}
}

// next reads one track; false if what is left is none.
func (w *trackWalker) next(p []byte) (t Track, ok bool) {
	t.FourCC = w.fourCC
	if w.layout == ManyTracksManyCodecs {
		if len(p)-w.off < 4 {
			return t, false
		}
		t.FourCC = fourCC(p[w.off:])
		w.off += 4
	}
	if w.off >= len(p) {
		return t, false
	}
	t.ID = p[w.off]
	w.off++
	size := len(p) - w.off
	if w.layout != OneTrack {
		if size < 3 {
			return t, false
		}
		n := int(u24(p[w.off:]))
		w.off += 3
		if n > len(p)-w.off {
			return t, false
		}
		size = n
	}
	w.body = w.off
	t.Body = p[w.off : w.off+size]
	w.off += size
	if w.timed && t.FourCC.reorders() {
		if size < 3 {
			return t, false
		}
		t.CompositionTime = s24(t.Body)
		t.Body = t.Body[3:]
		w.body += 3
	}
	return t, true
}

// check walks all tracks and returns the first and their number.
func (w trackWalker) check(p []byte) (first Track, body, n int, reason string) {
	for w.off < len(p) || n == 0 {
		t, ok := w.next(p)
		if !ok {
			return first, body, n, ReasonTruncated
		}
		if n == 0 {
			first, body = t, w.body
		}
		if n++; n > MaxTracks {
			return first, body, n, ReasonMultitrack
		}
	}
	return first, body, n, ""
}

// reorders reports whether coded frames of f carry a composition time.
func (f FourCC) reorders() bool { return f == AVC || f == HEVC || f == VVC }
