package stamp

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"time"
)

// Stamp says which frame this is.
type Stamp struct {
	Stream   uint64    // ID(name) of the stream that it was published to
	Epoch    uint64    // the publisher's run: a later run has a higher one
	Sequence uint64    // position in its track, from 0 in each run
	Sent     time.Time // the publisher's wall clock, to the microsecond
}

// Size is the length of a stamp on the wire, in bytes.
const Size = len(magic) + 4*wordSize + 1

const (
	magic    = "\xd7\xf3\xe9\xf2" // "Weir" with all top bits set
	wordSize = 10                 // 64 bits at 7 a byte
)

// ErrNotStamped is returned for a frame that carries no stamp, or a damaged one.
var ErrNotStamped = errors.New("stamp: no stamp in the frame")

// ID returns the number by which a stamp names a stream.
func ID(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// Append appends the stamp. Every byte has its top bit set, so that no start code
// and no emulation prevention pattern (00 00 01, 00 00 03) can arise from it in a
// NAL unit, whatever the numbers are. The last byte is a check sum of the words.
func Append(dst []byte, s Stamp) []byte {
	dst = append(dst, magic...)
	from := len(dst)
	for _, w := range [4]uint64{s.Stream, s.Epoch, s.Sequence, uint64(s.Sent.UnixMicro())} {
		for i := range wordSize {
			dst = append(dst, 0x80|byte(w>>(7*i)))
		}
	}
	return append(dst, check(dst[from:]))
}

// Parse reads a stamp from the start of p.
func Parse(p []byte) (Stamp, error) {
	if len(p) < Size || string(p[:len(magic)]) != magic {
		return Stamp{}, ErrNotStamped
	}
	p = p[len(magic):Size]
	words := p[:4*wordSize]
	if check(words) != p[len(words)] {
		return Stamp{}, ErrNotStamped
	}
	var w [4]uint64
	for i := range w {
		for j, b := range words[i*wordSize : (i+1)*wordSize] {
			w[i] |= uint64(b&0x7f) << (7 * j)
		}
	}
	return Stamp{Stream: w[0], Epoch: w[1], Sequence: w[2], Sent: time.UnixMicro(int64(w[3]))}, nil
}

func check(p []byte) byte {
	h := fnv.New32a()
	h.Write(p)
	return 0x80 | byte(h.Sum32())
}

// Bodies of the tags that carry a stamp.
const (
	videoPrefix = 5 + 4 + 1 // FLV video header, NAL unit length, NAL unit header
	audioPrefix = 2         // FLV audio header, AAC packet type

	nalIDR   = 0x65
	nalSlice = 0x41
	filler   = 0xaa // no start code can arise from it
)

// appendVideo appends the payload of an AVC picture of about size bytes.
func appendVideo(dst []byte, s Stamp, key bool, size int) []byte {
	head, nal := byte(0x27), byte(nalSlice)
	if key {
		head, nal = 0x17, nalIDR
	}
	n := max(size-videoPrefix, Size)
	dst = append(dst, head, 1, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(n+1))
	dst = append(dst, nal)
	return fill(Append(dst, s), n-Size)
}

// appendAudio appends the payload of an AAC frame of about size bytes.
func appendAudio(dst []byte, s Stamp, size int) []byte {
	dst = append(dst, 0xaf, 1)
	return fill(Append(dst, s), max(size-audioPrefix, Size)-Size)
}

func fill(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, filler)
	}
	return dst
}
