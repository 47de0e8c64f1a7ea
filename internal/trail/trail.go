package trail

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"weir/rtmp"
)

// ID is one process that is a front.
type ID [16]byte

// NewID is the ID of a process with a name of its own.
func NewID(process string) ID {
	sum := sha256.Sum256([]byte("weir front " + process))
	return ID(sum[:])
}

// Trail is fronts: those that a session has come through, the first one first; or a front and those among
// its servers.
type Trail []ID

// Most bounds a trail. Why not larger: it has to fit into rtmp.MarkSize. Why not smaller: a
// front says so many of its servers.
const Most = 24

// magic begins a mark, and a sum of what it says ends it: by chance no noise looks so.
var magic = []byte("weir/fr\x01")

const sumSize = 8

// With is t and one more. t stays as it is.
func (t Trail) With(id ID) Trail { return append(slices.Clip(t), id) }

// Mark is t for the handshake; what is beyond Most is left out.
func (t Trail) Mark() []byte {
	t = t[:min(len(t), Most)]
	b := make([]byte, 0, rtmp.MarkSize)
	b = append(append(b, magic...), byte(len(t)))
	for _, id := range t {
		b = append(b, id[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:sumSize]...)
}

// Parse returns the trail in a mark; nil: there is none.
func Parse(mark []byte) Trail {
	rest, ok := bytes.CutPrefix(mark, magic)
	if !ok || len(rest) == 0 || rest[0] > Most {
		return nil
	}
	n := int(rest[0])
	said := len(magic) + 1 + n*len(ID{})
	if len(mark) < said+sumSize {
		return nil
	}
	if sum := sha256.Sum256(mark[:said]); !bytes.Equal(sum[:sumSize], mark[said:said+sumSize]) {
		return nil
	}
	t := make(Trail, n)
	for i := range t {
		copy(t[i][:], rest[1+i*len(ID{}):])
	}
	return t
}
