package flv

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

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
