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
	FourCC     FourCC // of the first track; 0 = a legacy codec without one, or Opaque
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
	TrackID        uint8  // of the first track; 0 unless Multitrack
	TrackCount     int    // 1 unless Multitrack
	NanoOffset     uint32 // ns to be added to the presentation time, 0–999,999

	BodyOffset int // of the first track's codec data, at most the length of the message
	tracks     int // where the track list starts; 0 = there is none
}

const (
	soundMP3      = 2
	soundEnhanced = 9
	soundAAC      = 10
	soundMP3At8k  = 14
)

// ParseAudio says what the audio tag or message p is. It does not allocate
// unless it fails; the info beside an error holds what was read until then.
func ParseAudio(p []byte) (AudioInfo, error) {
	if len(p) == 0 {
		return AudioInfo{}, &Error{Unit: "audio", Reason: ReasonEmpty}
	}
	a := AudioInfo{CodecID: p[0] >> 4, TrackCount: 1, BodyOffset: 1}
	reason := ""
	if a.CodecID == soundEnhanced {
		a.Enhanced = true
		reason = a.parseEnhanced(p)
	} else {
		reason = a.parseLegacy(p)
	}
	if reason != "" {
		a.TrackCount, a.tracks, a.BodyOffset = 0, 0, len(p)
		return a, &Error{Unit: "audio", Offset: int64(len(p)), Reason: reason}
	}
	if !a.Opaque {
		a.SequenceHeader = a.PacketType == AudioSequenceStart
		a.SequenceEnd = a.PacketType == AudioSequenceEnd
		a.MultichannelConfig = a.PacketType == AudioMultichannelConfig
	}
	return a, nil
}

func (a *AudioInfo) parseLegacy(p []byte) (reason string) {
	a.PacketType = AudioCodedFrames
	a.SampleRate = [4]int{5512, 11025, 22050, 44100}[p[0]>>2&3]
	a.SampleBits = 8 + 8*int(p[0]>>1&1)
	a.Channels = 1 + int(p[0]&1)
	switch a.CodecID {
	case soundMP3:
		a.FourCC = MP3
	case soundMP3At8k:
		a.FourCC, a.SampleRate = MP3, 8000
	case 4, 11: // Nellymoser and Speex at 16 kHz, whatever the bits say
		a.SampleRate, a.Channels = 16000, 1
	case 5:
		a.SampleRate, a.Channels = 8000, 1
	case 7, 8: // G.711
		a.SampleRate = 8000
	case soundAAC:
		a.FourCC = AAC
		if len(p) < 2 {
			return ReasonTruncated
		}
		a.PacketType = AudioPacketType(p[1])
		a.Opaque = a.PacketType > AudioCodedFrames
		a.BodyOffset = 2
	}
	return ""
}

func (a *AudioInfo) parseEnhanced(p []byte) (reason string) {
	h := exHeader{packet: p[0] & 0x0F, off: 1}
	ok := h.modEx(p) && h.codec(p, uint8(AudioMultitrack))
	a.PacketType, a.NanoOffset, a.FourCC = AudioPacketType(h.packet), h.nano, h.fourCC
	a.Multitrack, a.MultitrackType = h.multitrack, h.layout
	if !ok {
		return ReasonTruncated
	}
	a.BodyOffset = h.off
	switch a.PacketType {
	case AudioSequenceStart, AudioCodedFrames, AudioSequenceEnd, AudioMultichannelConfig:
	case AudioMultitrack:
		return ReasonMultitrack // forbidden: a wrapper within itself
	default:
		a.Opaque = true
		return ""
	}
	if !h.multitrack {
		return ""
	}
	if h.layout > ManyTracksManyCodecs {
		a.Opaque = true
		return ""
	}
	w := trackWalker{off: h.off, layout: h.layout, fourCC: h.fourCC}
	first, body, n, reason := w.check(p)
	if reason != "" {
		return reason
	}
	a.tracks = h.off
	a.FourCC, a.TrackID, a.TrackCount, a.BodyOffset = first.FourCC, first.ID, n, body
	return ""
}
