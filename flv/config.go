package flv

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

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

// parseAVC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3).
func (c *VideoConfig) parseAVC(p []byte) (reason string) {
	if len(p) < 6 {
		return ReasonTruncated
	}
	c.Codec = fmt.Sprintf("avc1.%02x%02x%02x", p[1], p[2], p[3])
	if p[5]&0x1F == 0 {
		return "" // parameter sets are in the stream
	}
	sps, _, ok := prefixed(p[6:])
	if !ok {
		return ReasonTruncated
	}
	return c.parseAVCSPS(sps)
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

// parseAVCSPS reads a sequence parameter set (H.264 §7.3.2.1.1) up to the cropping.
func (c *VideoConfig) parseAVCSPS(p []byte) (reason string) {
	r := bitReader{p: p, nal: true}
	r.skip(8) // NAL unit header
	profile := r.u(8)
	r.skip(16)
	r.ue() // id
	chroma := uint32(1)
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		chroma = r.ue()
		if chroma == 3 && r.flag() {
			chroma = 0 // planes coded apart, each as if monochrome
		}
		r.ue()
		r.ue()
		r.skip(1)
		if r.flag() {
			lists := 8
			if chroma == 3 {
				lists = 12
			}
			for i := range lists {
				if r.flag() {
					r.skipScalingList(i)
				}
			}
		}
	}
	r.ue() // log2_max_frame_num
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.skip(1)
		r.se()
		r.se()
		n := r.ue()
		if n > 255 {
			return ReasonConfig
		}
		for range n {
			r.se()
		}
	}
	r.ue() // max_num_ref_frames
	r.skip(1)
	w, h := int(r.ue())+1, int(r.ue())+1
	fields := 1
	if !r.flag() { // frame_mbs_only
		fields = 2
		r.skip(1)
	}
	r.skip(1)
	unitX, unitY := 1, fields
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY *= 2
	}
	c.crop(&r, min(w, maxSide)*16, min(h, maxSide)*16*fields, unitX, unitY)
	return r.reason(c)
}

func (r *bitReader) skipScalingList(i int) {
	size := 64
	if i < 6 {
		size = 16
	}
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + r.se()) & 0xFF
		}
		if next != 0 {
			last = next
		}
	}
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

// parseHEVC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3);
// the codec string is that of its annex E.
func (c *VideoConfig) parseHEVC(p []byte) (reason string) {
	if len(p) < 23 {
		return ReasonTruncated
	}
	var s strings.Builder
	s.WriteString("hvc1.")
	if space := p[1] >> 6; space > 0 {
		s.WriteByte('A' + space - 1)
	}
	tier := byte('L')
	if p[1]&0x20 != 0 {
		tier = 'H'
	}
	fmt.Fprintf(&s, "%d.%X.%c%d", p[1]&0x1F, bits.Reverse32(binary.BigEndian.Uint32(p[2:])), tier, p[12])
	constraints := p[6:12]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, b := range constraints {
		fmt.Fprintf(&s, ".%X", b)
	}
	c.Codec = s.String()

	arrays := int(p[22])
	p = p[23:]
	for range arrays {
		if len(p) < 3 {
			return ReasonTruncated
		}
		typ, n := p[0]&0x3F, int(binary.BigEndian.Uint16(p[1:]))
		p = p[3:]
		for range n {
			unit, rest, ok := prefixed(p)
			if !ok {
				return ReasonTruncated
			}
			if typ == 33 {
				return c.parseHEVCSPS(unit)
			}
			p = rest
		}
	}
	return "" // parameter sets are in the stream
}

// parseHEVCSPS reads a sequence parameter set (H.265 §7.3.2.2.1) up to the
// conformance window.
func (c *VideoConfig) parseHEVCSPS(p []byte) (reason string) {
	r := bitReader{p: p, nal: true}
	r.skip(16 + 4) // NAL unit header, VPS id
	layers := int(r.u(3))
	r.skip(1 + 96) // nesting, general profile, tier and level
	var profile, level [8]bool
	for i := range layers {
		profile[i], level[i] = r.flag(), r.flag()
	}
	if layers > 0 {
		r.skip(2 * (8 - layers))
	}
	for i := range layers {
		if profile[i] {
			r.skip(88)
		}
		if level[i] {
			r.skip(8)
		}
	}
	r.ue() // id
	chroma := r.ue()
	if chroma == 3 {
		r.skip(1)
	}
	w, h := int(r.ue()), int(r.ue())
	unitX, unitY := 1, 1
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY = 2
	}
	c.crop(&r, min(w, 2*maxSide), min(h, 2*maxSide), unitX, unitY)
	return r.reason(c)
}

// parseVP9 reads a VPCodecConfigurationRecord, with or without the four bytes of
// version and flags that it has in MP4: writers of FLV differ. It states no size.
func (c *VideoConfig) parseVP9(p []byte) (reason string) {
	if len(p) >= 4 && p[0] == 1 && p[1] == 0 && p[2] == 0 && p[3] == 0 {
		p = p[4:] // no record starts so: its third byte holds the bit depth, which is not 0
	}
	if len(p) < 3 {
		return ReasonTruncated
	}
	c.Codec = fmt.Sprintf("vp09.%02d.%02d.%02d", p[0], p[1], p[2]>>4)
	return ""
}
