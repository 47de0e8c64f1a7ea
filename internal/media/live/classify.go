package live

import (
	"bytes"
	"errors"

	"weir/flv"
	"weir/rtmp"
)

// role says what a message is to a decoder.
type role uint8

const (
	roleFrame    role = iota // coded audio or video, or timed data
	roleMetadata             // onMetaData
	roleConfig               // sequence header
	roleExtra                // configuration beside the sequence header: HDR facts, channel layout
)

// frame is what a message turned out to be. It is a value without pointers.
type frame struct {
	typ    rtmp.MessageType
	flags  flags
	role   role
	track  uint8    // the first track's
	tracks trackSet // all of them
	codec  flv.FourCC
}

func (f *frame) video() bool { return f.flags&flagVideo != 0 }
func (f *frame) key() bool   { return f.flags&flagKey != 0 }

// kind is the frame's media type without anything else.
func (f *frame) kind() flags { return f.flags & (flagAudio | flagVideo) }

// classify reads the header of a publisher's message. A non-empty reason means
// that the message is not for viewers.
func classify(t rtmp.MessageType, p []byte) (frame, Reason) {
	f := frame{typ: t}
	switch {
	case !t.IsMedia():
		return f, ReasonUnsupportedType
	case len(p) == 0:
		return f, ReasonEmptyTag
	case len(p) > maxPayload:
		return f, ReasonMessageTooLarge
	case t == rtmp.Video:
		return classifyVideo(f, p)
	case t == rtmp.Audio:
		return classifyAudio(f, p)
	}
	if isMetadata(p) {
		f.role, f.flags = roleMetadata, flagHeader
	}
	return f, ""
}

func classifyVideo(f frame, p []byte) (frame, Reason) {
	f.flags = flagVideo
	v, err := flv.ParseVideo(p)
	if err != nil {
		return f, tagReason(err)
	}
	f.codec, f.track = v.FourCC, v.TrackID
	switch {
	case v.SequenceEnd:
		return f, ReasonSequenceEnd
	case v.SequenceHeader:
		f.role, f.flags = roleConfig, f.flags|flagHeader
	case v.Metadata:
		f.role, f.flags = roleExtra, f.flags|flagHeader
	case v.Keyframe:
		f.flags |= flagKey
	}
	if f.role != roleFrame {
		for t := range v.Tracks(p) {
			f.tracks.add(t.ID)
		}
		f.tracks.add(v.TrackID)
	}
	return f, ""
}

func classifyAudio(f frame, p []byte) (frame, Reason) {
	f.flags = flagAudio
	a, err := flv.ParseAudio(p)
	if err != nil {
		return f, tagReason(err)
	}
	f.codec, f.track = a.FourCC, a.TrackID
	switch {
	case a.SequenceEnd:
		return f, ReasonSequenceEnd
	case a.SequenceHeader:
		f.role, f.flags = roleConfig, f.flags|flagHeader
	case a.MultichannelConfig:
		f.role, f.flags = roleExtra, f.flags|flagHeader
	}
	if f.role != roleFrame {
		for t := range a.Tracks(p) {
			f.tracks.add(t.ID)
		}
		f.tracks.add(a.TrackID)
	}
	return f, ""
}

func tagReason(err error) Reason {
	if e, ok := errors.AsType[*flv.Error](err); ok && e.Reason == flv.ReasonEmpty {
		return ReasonEmptyTag
	}
	return ReasonMalformedTag
}

// needsConfig reports whether frames of a codec say nothing without a sequence
// header. Of the others some carry theirs in the frames, and of unknown ones
// nothing is known: they pass.
func needsConfig(c flv.FourCC) bool {
	switch c {
	case flv.AVC, flv.HEVC, flv.VVC, flv.AAC:
		return true
	}
	return false
}

var onMetaData = []byte("\x02\x00\x0aonMetaData")

func isMetadata(p []byte) bool {
	return bytes.HasPrefix(p, onMetaData) || p[0] == 0 && bytes.HasPrefix(p[1:], onMetaData)
}
