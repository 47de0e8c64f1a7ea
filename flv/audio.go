package flv

// AudioPacketType says what an audio message carries (E-RTMP v2; those of the
// legacy AACPacketType, 0 and 1, coincide).
type AudioPacketType uint8

// Audio packet types. Multitrack and ModEx are wrappers: ParseAudio takes them off.
const (
	AudioSequenceStart      AudioPacketType = 0
	AudioCodedFrames        AudioPacketType = 1
	AudioSequenceEnd        AudioPacketType = 2
	AudioMultichannelConfig AudioPacketType = 4
	AudioMultitrack         AudioPacketType = 5
	AudioModEx              AudioPacketType = 7
)

// AudioInfo is what the header of an audio message says. It is a plain value
// without pointers; offsets are into the bytes given to ParseAudio.
type AudioInfo struct {
	FourCC     FourCC // of the first track; 0 = a legacy codec without one
	CodecID    uint8  // legacy SoundFormat; 9 if Enhanced
	PacketType AudioPacketType

	SequenceHeader     bool // decoder configuration
	SequenceEnd        bool
	MultichannelConfig bool
	Enhanced           bool
	Multitrack         bool
	Opaque             bool // a reserved type or layout: nothing beyond it was understood

	// Of the legacy header; for AAC they are constants that say nothing.
	SampleRate int // Hz
	SampleBits int
	Channels   int

	MultitrackType MultitrackType
	TrackID        uint8 // of the first track; 0 unless Multitrack
	TrackCount     int   // 1 unless Multitrack
	NanoOffset     uint32

	BodyOffset int
	tracks     int
}

// ParseAudio parses the header of an audio tag or message.
func ParseAudio(p []byte) (AudioInfo, error) {
	return AudioInfo{}, &Error{Unit: "audio", Reason: ReasonEmpty}
}
