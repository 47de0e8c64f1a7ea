package flv

import "encoding/binary"

// VideoConfig are facts of a video decoder configuration, for people to read.
type VideoConfig struct {
	Codec  string // as in RFC 6381, such as "avc1.64001f"; at least the FourCC
	Width  int    // pixels as shown, after cropping; 0 = not stated
	Height int
}

// AudioConfig are facts of an audio decoder configuration.
type AudioConfig struct {
	Codec      string // as in RFC 6381, such as "mp4a.40.2"; at least the FourCC
	SampleRate int    // Hz of the decoded sound; 0 = not stated
	Channels   int    // 0 = not stated
}

// maxSide bounds a stated width or height, in pixels: no level of any codec here
// allows more, so it is a lie and not to be shown.
const maxSide = 1 << 16

// ParseVideoConfig reads the decoder configuration of a sequence header: the
// bytes from VideoInfo.BodyOffset or a Track's body. A codec without a parser
// here (VP8, VVC, unknown) gives its FourCC and no error. Beside an error stands
// what was read before it.
func ParseVideoConfig(codec FourCC, body []byte) (VideoConfig, error) {
	c := VideoConfig{Codec: codec.String()}
	reason := ""
	switch codec {
	case AVC:
		reason = c.parseAVC(body)
	case HEVC:
		reason = c.parseHEVC(body)
	case AV1:
		reason = c.parseAV1(body)
	case VP9:
		reason = c.parseVP9(body)
	}
	if reason == "" && (c.Width < 0 || c.Width > maxSide || c.Height < 0 || c.Height > maxSide) {
		reason = ReasonConfig
	}
	if reason != "" {
		c.Width, c.Height = 0, 0
		return c, &Error{Unit: "config", Reason: reason}
	}
	return c, nil
}

// prefixed cuts off a piece that has its length in two bytes before it.
func prefixed(p []byte) (piece, rest []byte, ok bool) {
	if len(p) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(p))
	if n > len(p)-2 {
		return nil, nil, false
	}
	return p[2 : 2+n], p[2+n:], true
}

// crop reads a cropping window and sets the size. The numbers are cut down to
// what cannot overflow; what results is checked by the caller.
func (c *VideoConfig) crop(r *bitReader, w, h, unitX, unitY int) {
	if r.flag() {
		l, rt := int(min(r.ue(), maxSide)), int(min(r.ue(), maxSide))
		t, b := int(min(r.ue(), maxSide)), int(min(r.ue(), maxSide))
		w -= unitX * (l + rt)
		h -= unitY * (t + b)
	}
	c.Width, c.Height = w, h
}

func (r *bitReader) reason(c *VideoConfig) string {
	if r.bad {
		return ReasonTruncated
	}
	if c.Width <= 0 || c.Height <= 0 {
		return ReasonConfig
	}
	return ""
}
