package flv

// The part that ExVideoTagHeader and ExAudioTagHeader have in common: any number
// of ModEx prefixes, then either one FourCC or the multitrack layout.

const (
	packetModEx = 7 // the same number in both headers

	// maxNano is the largest offset that TimestampOffsetNano may state; one
	// millisecond is the next timestamp.
	maxNano = 999_999
)

// exHeader is what was read of an enhanced header.
type exHeader struct {
	packet     uint8
	off        int // behind what was read
	nano       uint32
	multitrack bool
	layout     MultitrackType
	fourCC     FourCC // 0 if each track has its own
}

// modEx takes off the ModEx prefixes. Each is at least three bytes long, so the
// loop ends with the input.
func (h *exHeader) modEx(p []byte) bool {
	for h.packet == packetModEx {
		if h.off >= len(p) {
			return false
		}
		size := int(p[h.off]) + 1
		h.off++
		if size == 256 {
			if len(p)-h.off < 2 {
				return false
			}
			size = (int(p[h.off])<<8 | int(p[h.off+1])) + 1
			h.off += 2
		}
		if len(p)-h.off < size+1 {
			return false
		}
		data := p[h.off : h.off+size]
		next := p[h.off+size]
		h.off += size + 1
		// TimestampOffsetNano is type 0; all others are unknown and skipped.
		if next>>4 == 0 && size >= 3 {
			if n := u24(data); n <= maxNano {
				h.nano = n
			}
		}
		h.packet = next & 0x0F
	}
	return true
}

// codec reads the multitrack layout, if packet is that wrapper's type, and the
// FourCC, if there is one for all tracks.
func (h *exHeader) codec(p []byte, wrapper uint8) bool {
	if h.packet == wrapper {
		if h.off >= len(p) {
			return false
		}
		h.multitrack = true
		h.layout = MultitrackType(p[h.off] >> 4)
		h.packet = p[h.off] & 0x0F
		h.off++
		if h.layout >= ManyTracksManyCodecs {
			return true
		}
	}
	if len(p)-h.off < 4 {
		return false
	}
	h.fourCC = fourCC(p[h.off:])
	h.off += 4
	return true
}

func fourCC(p []byte) FourCC {
	return FourCC(p[0])<<24 | FourCC(p[1])<<16 | FourCC(p[2])<<8 | FourCC(p[3])
}

func u24(p []byte) uint32 { return uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2]) }

// s24 sign-extends.
func s24(p []byte) int32 { return int32(u24(p)<<8) >> 8 }
