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
	FourCC     FourCC // of the first track; 0 = a legacy codec without one
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

	BodyOffset int // of the first track's codec data
	tracks     int // where the track list starts
}

// ParseVideo parses the header of a video tag or message.
func ParseVideo(p []byte) (VideoInfo, error) {
	return VideoInfo{}, &Error{Unit: "video", Reason: ReasonEmpty}
}
