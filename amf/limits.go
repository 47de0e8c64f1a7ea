package amf

// Limits bounds what one Decoder may build, over all the values that it
// returns. A zero field means its default.
type Limits struct {
	// Depth is how many containers may lie within one another.
	Depth int
	// Values counts every value, member and element; a reference counts as
	// much as that which it refers to.
	Values int
	// Bytes counts the bytes of all strings, names and byte arrays, again as if
	// each reference had been written out.
	Bytes int
}

const (
	// DefaultDepth: why not smaller: metadata of broadcast encoders nests about
	// ten deep. Why not larger: nothing real does, and decoding recurses: a Go
	// stack that overflows cannot be recovered from.
	DefaultDepth = 32

	// DefaultValues: why not smaller: onMetaData with a keyframe index carries
	// some hundreds. Why not larger: a value of one byte on the wire costs 16 to
	// 48 bytes in memory.
	DefaultValues = 1024

	// DefaultBytes: why not smaller: tokens in connect reach some KiB. Why not
	// larger: a command is not a carrier of media.
	DefaultBytes = 64 << 10

	// maxDepth caps Limits.Depth and what the encoder descends into, whatever
	// the caller asks for: about 1 KiB of stack a level.
	maxDepth = 512
)

// DefaultLimits are the limits for bytes from strangers.
var DefaultLimits = Limits{Depth: DefaultDepth, Values: DefaultValues, Bytes: DefaultBytes}

func (l Limits) withDefaults() Limits {
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	if l.Values <= 0 {
		l.Values = DefaultValues
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	l.Depth = min(l.Depth, maxDepth)
	return l
}
