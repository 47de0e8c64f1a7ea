package flv

// bitReader reads the bit syntax of parameter sets. Reading beyond the end gives
// zeros and sets bad, so that parsers can be written straight on and ask once;
// each of their loops must have a bound of its own.
type bitReader struct {
	p     []byte
	off   int  // of the next byte
	cur   byte // the byte being read
	left  int  // bits of cur not yet read
	zeros int  // zero bytes in a row, for emulation prevention
	nal   bool // skip the 3 of 00 00 03 (H.264 §7.4.1)
	bad   bool
}

func (r *bitReader) bit() uint32 {
	if r.left == 0 {
		if r.nal && r.zeros >= 2 && r.off < len(r.p) && r.p[r.off] == 3 {
			r.off++
			r.zeros = 0
		}
		if r.off >= len(r.p) {
			r.bad = true
			return 0
		}
		r.cur, r.left = r.p[r.off], 8
		r.off++
		r.zeros++
		if r.cur != 0 {
			r.zeros = 0
		}
	}
	r.left--
	return uint32(r.cur>>r.left) & 1
}

// u reads n ≤ 32 bits.
func (r *bitReader) u(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bitReader) skip(n int) {
	for range n {
		r.bit()
	}
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

// ue reads an Exp-Golomb number (H.264 §9.1) of up to 31 leading zeros.
func (r *bitReader) ue() uint32 {
	n := 0
	for r.bit() == 0 {
		if n++; n > 31 || r.bad {
			r.bad = true
			return 0
		}
	}
	return 1<<n - 1 + r.u(n)
}

func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}
