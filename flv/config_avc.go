package flv

import "fmt"

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
