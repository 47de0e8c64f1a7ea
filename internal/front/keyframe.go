package front

import (
	"sync/atomic"

	"weir/flv"
	"weir/rtmp"
)

// keyBell rings once, at the next key frame that passes.
type keyBell struct{ p atomic.Pointer[chan struct{}] }

// next returns a channel that is closed at the next key frame.
func (b *keyBell) next() <-chan struct{} {
	for {
		if ch := b.p.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		if b.p.CompareAndSwap(nil, &ch) {
			return ch
		}
	}
}

// passed is told of every message that is in the stream now.
func (b *keyBell) passed(m *rtmp.Message) {
	if b.p.Load() == nil || !isKey(m) {
		return
	}
	if ch := b.p.Swap(nil); ch != nil {
		close(*ch)
	}
}

// isKey reports a key frame of pictures.
func isKey(m *rtmp.Message) bool {
	if m.Type != rtmp.Video {
		return false
	}
	v, err := flv.ParseVideo(m.Payload)
	return err == nil && v.Keyframe && !v.SequenceHeader
}

// coded reports whether a message is a coded frame, and of sound; headers and data
// are none.
func coded(m *rtmp.Message) (sound, frame bool) {
	switch m.Type {
	case rtmp.Video:
		v, err := flv.ParseVideo(m.Payload)
		return false, err == nil && !v.SequenceHeader
	case rtmp.Audio:
		a, err := flv.ParseAudio(m.Payload)
		return true, err == nil && !a.SequenceHeader
	}
	return false, false
}
