package flv

// FrameType is the kind of a video frame (the upper bits of the first byte).
type FrameType uint8

// Frame types, the same in the legacy and in the enhanced header.
const (
	FrameKey          FrameType = 1 // a key frame
	FrameInter        FrameType = 2
	FrameDisposable   FrameType = 3 // H.263 only
	FrameGeneratedKey FrameType = 4 // reserved for servers
	FrameCommand      FrameType = 5 // video info or command: no picture
)

// VideoPacketType says what a video message carries. The values are those of
// E-RTMP v2; those of the legacy AVCPacketType (0, 1, 2) coincide.
type VideoPacketType uint8

// Video packet types. Multitrack and ModEx are wrappers: ParseVideo takes them off and
// reports the type within.
const (
	VideoSequenceStart      VideoPacketType = 0
	VideoCodedFrames        VideoPacketType = 1
	VideoSequenceEnd        VideoPacketType = 2
	VideoCodedFramesX       VideoPacketType = 3 // composition time 0, not on the wire
	VideoMetadata           VideoPacketType = 4 // AMF0 name and value, such as colorInfo
	VideoMPEG2SequenceStart VideoPacketType = 5 // AV1 as in MPEG-2 TS
	VideoMultitrack         VideoPacketType = 6
	VideoModEx              VideoPacketType = 7
)

// MultitrackType is how the tracks of a multitrack message are laid out.
type MultitrackType uint8

const (
	OneTrack             MultitrackType = 0
	ManyTracks           MultitrackType = 1
	ManyTracksManyCodecs MultitrackType = 2
)

// VideoInfo is what the header of a video message says. It is a plain value
// without pointers; offsets are into the bytes given to ParseVideo.
type VideoInfo struct {
	FourCC     FourCC // of the first track; 0 = a legacy codec without one, or Opaque
	CodecID    uint8  // legacy CodecID; 0 if Enhanced
	FrameType  FrameType
	PacketType VideoPacketType

	Keyframe       bool // coded picture(s) from which decoding can start
	SequenceHeader bool // decoder configuration
	SequenceEnd    bool
	Metadata       bool // HDR and other facts, not a picture
	Command        bool // FrameCommand: client-side seeking, not a picture
	Enhanced       bool
	Multitrack     bool
	Opaque         bool // a reserved type or layout: nothing beyond it was understood

	MultitrackType  MultitrackType
	TrackID         uint8  // of the first track; 0 unless Multitrack
	TrackCount      int    // 1 unless Multitrack
	CompositionTime int32  // ms, presentation minus decoding, of the first track
	NanoOffset      uint32 // ns to be added to the presentation time, 0–999,999

	BodyOffset int // of the first track's codec data, at most the length of the message
	tracks     int // where the track list starts; 0 = there is none
}

// Legacy codec ids that have a packet type and a composition time.
const (
	codecAVC  = 7
	codecHEVC = 12
	codecAV1  = 13
)

// ParseVideo says what the video tag or message p is. It does not allocate
// unless it fails; the info beside an error holds what was read until then.
func ParseVideo(p []byte) (VideoInfo, error) {
	if len(p) == 0 {
		return VideoInfo{}, &Error{Unit: "video", Reason: ReasonEmpty}
	}
	v := VideoInfo{FrameType: FrameType(p[0] >> 4 & 7), TrackCount: 1, BodyOffset: 1}
	reason := ""
	if p[0] < 0x80 {
		reason = v.parseLegacy(p)
	} else {
		v.Enhanced = true
		reason = v.parseEnhanced(p)
	}
	if reason != "" {
		v.TrackCount, v.tracks, v.BodyOffset = 0, 0, len(p)
		return v, &Error{Unit: "video", Offset: int64(len(p)), Reason: reason}
	}
	v.classify(len(p) > v.BodyOffset || v.TrackCount > 1)
	return v, nil
}

func (v *VideoInfo) parseLegacy(p []byte) (reason string) {
	v.CodecID = p[0] & 0x0F
	v.PacketType = VideoCodedFrames
	if v.FrameType == FrameCommand {
		v.Command = true
		return ""
	}
	switch v.CodecID {
	case codecAVC:
		v.FourCC = AVC
	case codecHEVC:
		v.FourCC = HEVC
	case codecAV1:
		v.FourCC = AV1
	default:
		return ""
	}
	if len(p) < 2 {
		return ReasonTruncated
	}
	v.PacketType = VideoPacketType(p[1])
	if v.PacketType > VideoSequenceEnd {
		v.Opaque = true
		v.BodyOffset = 2
		return ""
	}
	if len(p) < 5 {
		// The end of a sequence has nothing to be composed; some leave it out.
		if v.PacketType == VideoSequenceEnd {
			v.BodyOffset = len(p)
			return ""
		}
		return ReasonTruncated
	}
	if v.PacketType == VideoCodedFrames {
		v.CompositionTime = s24(p[2:])
	}
	v.BodyOffset = 5
	return ""
}

func (v *VideoInfo) parseEnhanced(p []byte) (reason string) {
	h := exHeader{packet: p[0] & 0x0F, off: 1}
	ok := h.modEx(p)
	v.PacketType, v.NanoOffset = VideoPacketType(h.packet), h.nano
	if !ok {
		return ReasonTruncated
	}
	// A command frame has one byte of command and neither FourCC nor body.
	if v.FrameType == FrameCommand && v.PacketType != VideoMetadata {
		v.Command = true
		v.BodyOffset = h.off
		if h.off >= len(p) {
			return ReasonTruncated
		}
		return ""
	}
	ok = h.codec(p, uint8(VideoMultitrack))
	v.PacketType, v.FourCC = VideoPacketType(h.packet), h.fourCC
	v.Multitrack, v.MultitrackType = h.multitrack, h.layout
	if !ok {
		return ReasonTruncated
	}
	v.BodyOffset = h.off
	if h.multitrack {
		return v.parseTracks(p, h)
	}
	if v.PacketType > VideoMPEG2SequenceStart {
		v.Opaque = true
		return ""
	}
	if v.PacketType == VideoCodedFrames && v.FourCC.reorders() {
		if len(p)-h.off < 3 {
			return ReasonTruncated
		}
		v.CompositionTime = s24(p[h.off:])
		v.BodyOffset += 3
	}
	return ""
}

func (v *VideoInfo) parseTracks(p []byte, h exHeader) (reason string) {
	if v.PacketType == VideoMultitrack {
		return ReasonMultitrack // forbidden: a wrapper within itself
	}
	if h.layout > ManyTracksManyCodecs || v.PacketType > VideoMPEG2SequenceStart {
		v.Opaque = true
		return ""
	}
	w := trackWalker{off: h.off, layout: h.layout, fourCC: h.fourCC, timed: v.PacketType == VideoCodedFrames}
	first, body, n, reason := w.check(p)
	if reason != "" {
		return reason
	}
	v.tracks = h.off
	v.FourCC, v.TrackID, v.TrackCount = first.FourCC, first.ID, n
	v.CompositionTime, v.BodyOffset = first.CompositionTime, body
	return ""
}

// classify sets the flags that consumers branch on. A sequence header is sent
// with the frame type of a key frame, and so are empty tags and ends of sequence; none of
// them is a picture that a viewer could start with.
func (v *VideoInfo) classify(body bool) {
	if v.Command || v.Opaque {
		return
	}
	switch v.PacketType {
	case VideoSequenceStart, VideoMPEG2SequenceStart:
		v.SequenceHeader = true
	case VideoSequenceEnd:
		v.SequenceEnd = true
	case VideoMetadata:
		v.Metadata = true
	case VideoCodedFrames, VideoCodedFramesX:
		v.Keyframe = body && (v.FrameType == FrameKey || v.FrameType == FrameGeneratedKey)
	}
}
