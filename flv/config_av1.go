package flv

import "fmt"

// parseAV1 reads an AV1CodecConfigurationRecord and, if it is within, the
// sequence header OBU.
func (c *VideoConfig) parseAV1(p []byte) (reason string) {
	if len(p) < 4 {
		return ReasonTruncated
	}
	tier, depth := 'M', 8
	if p[2]&0x80 != 0 {
		tier = 'H'
	}
	if p[2]&0x40 != 0 {
		depth = 10
		if p[2]&0x20 != 0 {
			depth = 12
		}
	}
	c.Codec = fmt.Sprintf("av01.%d.%02d%c.%02d", p[1]>>5, p[1]&0x1F, tier, depth)
	p = p[4:]
	for len(p) > 0 {
		obu, rest, ok := nextOBU(p)
		if !ok {
			return ReasonTruncated
		}
		if p[0]>>3&0x0F == 1 {
			return c.parseAV1Sequence(obu)
		}
		p = rest
	}
	return ""
}

// nextOBU cuts off one open bitstream unit (AV1 §5.3), at least one byte.
func nextOBU(p []byte) (payload, rest []byte, ok bool) {
	head := 1
	if p[0]&4 != 0 { // extension
		head = 2
	}
	if len(p) < head {
		return nil, nil, false
	}
	sized := p[0]&2 != 0
	p = p[head:]
	if !sized {
		return p, nil, true
	}
	var n uint64
	for i := range 8 {
		if i >= len(p) {
			return nil, nil, false
		}
		n |= uint64(p[i]&0x7F) << (7 * i)
		if p[i] < 0x80 {
			p = p[i+1:]
			if n > uint64(len(p)) {
				return nil, nil, false
			}
			return p[:n], p[n:], true
		}
	}
	return nil, nil, false
}

// parseAV1Sequence reads a sequence header (AV1 §5.5.1) up to the size.
func (c *VideoConfig) parseAV1Sequence(p []byte) (reason string) {
	r := bitReader{p: p}
	r.skip(3 + 1)
	if r.flag() { // reduced_still_picture_header
		r.skip(5)
	} else {
		delay := 0
		model := false
		if r.flag() { // timing_info_present
			r.skip(32 + 32)
			if r.flag() {
				r.ue() // uvlc has the form of ue
			}
			if model = r.flag(); model {
				delay = int(r.u(5)) + 1
				r.skip(32 + 5 + 5)
			}
		}
		display := r.flag()
		points := int(r.u(5)) + 1
		for range points {
			r.skip(12)
			if r.u(5) > 7 {
				r.skip(1)
			}
			if model && r.flag() {
				r.skip(2*delay + 1)
			}
			if display && r.flag() {
				r.skip(4)
			}
		}
	}
	w, h := int(r.u(4))+1, int(r.u(4))+1
	c.Width, c.Height = int(r.u(w))+1, int(r.u(h))+1
	return r.reason(c)
}
