package live

import (
	"bytes"
	"slices"

	"weir/flv"
	"weir/rtmp"
)

// trackSet is a set of the 256 track ids of multitrack messages. A message
// without track ids is of track 0.
type trackSet [4]uint64

func (t *trackSet) add(id uint8) { t[id/64] |= 1 << (id % 64) }

func (t trackSet) minus(o trackSet) trackSet {
	for i := range t {
		t[i] &^= o[i]
	}
	return t
}

func (t trackSet) covers(o trackSet) bool { return o.minus(t) == trackSet{} }

// header is one message that a decoder needs before frames.
type header struct {
	typ     rtmp.MessageType
	kind    flags // flagAudio, flagVideo or neither
	role    role
	codec   flv.FourCC
	live    trackSet // tracks of which it is the latest of its role
	payload []byte
	source  uint64 // the newest source that sent it
}

// headers are what a joiner needs before the first frame: metadata, then
// video, then audio, of equals the older first. Immutable; nil has none.
type headers struct {
	version uint64
	list    []header
	bytes   int
}

func (h *headers) all() []header {
	if h == nil {
		return nil
	}
	return h.list
}

// current returns the index of the header in force of a role and kind that
// covers all of the tracks, or -1.
func (h *headers) current(kind flags, r role, tracks trackSet) int {
	return slices.IndexFunc(h.all(), func(e header) bool {
		return e.kind == kind && e.role == r && e.live.covers(tracks)
	})
}

// has reports whether a decoder of that track can start.
func (h *headers) has(kind flags, track uint8) bool {
	var t trackSet
	t.add(track)
	return h.current(kind, roleConfig, t) >= 0
}

// repeated reports whether the message is one of the headers in force, and
// returns h with it marked as sent by source.
func (h *headers) repeated(f *frame, payload []byte, source uint64) (*headers, bool) {
	i := h.current(f.kind(), f.role, f.tracks)
	if i < 0 || h.list[i].typ != f.typ || !bytes.Equal(h.list[i].payload, payload) {
		return h, false
	}
	if h.list[i].source != source {
		h = h.clone()
		h.list[i].source = source
	}
	return h, true
}

func (h *headers) clone() *headers {
	c := &headers{}
	if h != nil {
		*c = *h
		c.list = slices.Clone(h.list)
	}
	return c
}

// with returns h with a changed header. What it replaces on all its tracks goes.
func (h *headers) with(f *frame, payload []byte, source uint64) *headers {
	n := header{typ: f.typ, kind: f.kind(), role: f.role, codec: f.codec, live: f.tracks, payload: bytes.Clone(payload), source: source}
	next := h.clone()
	next.list = slices.DeleteFunc(next.list, func(e header) bool {
		return e.kind == n.kind && e.role == n.role && e.live.minus(n.live) == trackSet{}
	})
	for i := range next.list {
		if e := &next.list[i]; e.kind == n.kind && e.role == n.role {
			e.live = e.live.minus(n.live)
		}
	}
	next.list = append(next.list, n)
	slices.SortStableFunc(next.list, func(a, b header) int { return rank(a) - rank(b) })
	return next.renumber()
}

// only returns h without what source has not sent.
func (h *headers) only(source uint64) *headers {
	if !slices.ContainsFunc(h.all(), func(e header) bool { return e.source != source }) {
		return h
	}
	next := h.clone()
	next.list = slices.DeleteFunc(next.list, func(e header) bool { return e.source != source })
	return next.renumber()
}

func (h *headers) renumber() *headers {
	h.version++
	h.bytes = 0
	for _, e := range h.list {
		h.bytes += len(e.payload)
	}
	return h
}

func rank(h header) int {
	switch h.kind {
	case flagVideo:
		return 1
	case flagAudio:
		return 2
	}
	return 0
}
