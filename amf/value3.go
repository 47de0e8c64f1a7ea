package amf

// The values that only AMF3 has. In AMF0 they travel behind the avmplus marker.
// An AMF3 integer (29 bits, signed) is an int32.

// ByteArray is a flash.utils.ByteArray (AMF3 §3.14).
type ByteArray []byte

// VectorInt is a Vector.<int> (AMF3 §3.15). Fixed vectors cannot be resized by
// the receiving script.
type VectorInt struct {
	Fixed  bool
	Values []int32
}

// VectorUint is a Vector.<uint>.
type VectorUint struct {
	Fixed  bool
	Values []uint32
}

// VectorDouble is a Vector.<Number>.
type VectorDouble struct {
	Fixed  bool
	Values []float64
}

// VectorObject is a Vector of the named class; "*" or "" means any.
type VectorObject struct {
	Fixed  bool
	Class  string
	Values []any
}

// Dictionary is a flash.utils.Dictionary (AMF3 §3.16): keys of any type.
type Dictionary struct {
	Weak    bool
	Entries []Entry
}

// Entry is one pair of a Dictionary.
type Entry struct {
	Key   any
	Value any
}

// Externalizable is an object of one of the three classes that write themselves
// and whose form is known: flex.messaging.io.ArrayCollection, ArrayList and
// ObjectProxy. Each consists of exactly one value, that which it wraps. Every other
// externalizable class has a private form, so decoding ends there with
// [ReasonExternalizable].
type Externalizable struct {
	Class string
	Value any
}
