package flv

import (
	"encoding/binary"
	"fmt"
)

// ParseAudioConfig reads the decoder configuration of a sequence header: the
// bytes from AudioInfo.BodyOffset or a Track's body. A codec without a parser
// here gives its name and no error. Beside an error stands what was read before it.
func ParseAudioConfig(codec FourCC, body []byte) (AudioConfig, error) {
	c := AudioConfig{Codec: codec.String()}
	reason := ""
	switch codec {
	case AAC:
		reason = c.parseAAC(body)
	case Opus:
		reason = c.parseOpus(body)
	case FLAC:
		reason = c.parseFLAC(body)
	case MP3:
		c.Codec = "mp3"
	}
	if reason != "" {
		return c, &Error{Unit: "config", Reason: reason}
	}
	return c, nil
}

// Sampling frequencies and channel counts by index (ISO/IEC 14496-3 tables 1.18, 1.19); 0 =
// reserved, or stated elsewhere.
var (
	aacRates = [16]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

	aacChannels = [16]int{0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8}
)

// parseAAC reads an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). Spectral band
// replication announced up front (object type 5, or 29 with parametric stereo)
// doubles the rate of what is heard; that rate is reported.
func (c *AudioConfig) parseAAC(p []byte) (reason string) {
	r := bitReader{p: p}
	object := r.aacObject()
	c.SampleRate = r.aacRate()
	c.Channels = aacChannels[r.u(4)]
	if object == 5 || object == 29 {
		c.SampleRate = r.aacRate()
		if object == 29 && c.Channels == 1 {
			c.Channels = 2
		}
	}
	if r.bad {
		c.SampleRate, c.Channels = 0, 0
		return ReasonTruncated
	}
	c.Codec = fmt.Sprintf("mp4a.40.%d", object)
	if object == 0 {
		return ReasonConfig
	}
	return ""
}

func (r *bitReader) aacObject() uint32 {
	if v := r.u(5); v != 31 {
		return v
	}
	return 32 + r.u(6)
}

func (r *bitReader) aacRate() int {
	i := r.u(4)
	if i == 15 {
		return int(r.u(24))
	}
	return aacRates[i]
}

// parseOpus reads an ID header (RFC 7845 §5.1), which may be absent. Opus always
// decodes at 48 kHz; the rate within the header is that of the original.
func (c *AudioConfig) parseOpus(p []byte) (reason string) {
	c.Codec, c.SampleRate = "opus", 48000
	if len(p) == 0 {
		return ""
	}
	if len(p) < 19 {
		return ReasonTruncated
	}
	if string(p[:8]) != "OpusHead" {
		return ReasonConfig
	}
	c.Channels = int(p[9])
	return ""
}

// parseFLAC reads the signature and the STREAMINFO block (RFC 9639 §8.2).
func (c *AudioConfig) parseFLAC(p []byte) (reason string) {
	c.Codec = "flac"
	const start = 4 + 4 // signature, block header
	if len(p) < start+34 {
		return ReasonTruncated
	}
	if string(p[:4]) != "fLaC" || p[4]&0x7F != 0 {
		return ReasonConfig
	}
	v := binary.BigEndian.Uint32(p[start+10:])
	c.SampleRate = int(v >> 12)
	c.Channels = int(v>>9&7) + 1
	return ""
}
