package amf

import (
	"encoding/binary"
	"math"
)

var be = binary.BigEndian

// append0 appends a value that plain has seen, within depth containers.
func append0(dst []byte, v any, depth int) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, m0Null)
	case float64:
		return appendFloat(append(dst, m0Number), v)
	case int64:
		return appendFloat(append(dst, m0Number), float64(v))
	case bool:
		return append(dst, m0Boolean, bit(v))
	case string:
		if len(v) <= math.MaxUint16 {
			return appendName0(append(dst, m0String), v)
		}
		return appendLong0(dst, m0LongString, v)
	case XMLDocument:
		return appendLong0(dst, m0XMLDocument, string(v))
	case Undefined:
		return append(dst, m0Undefined)
	case Unsupported:
		return append(dst, m0Unsupported)
	case Date:
		dst = appendFloat(append(dst, m0Date), v.Milliseconds)
		return be.AppendUint16(dst, uint16(v.Zone))
	}
	if depth >= maxDepth {
		return append(dst, m0Null)
	}
	switch v := v.(type) {
	case Object:
		return appendMembers0(append(dst, m0Object), v, depth)
	case ECMAArray:
		dst = be.AppendUint32(append(dst, m0ECMAArray), uint32(len(v)))
		return appendMembers0(dst, Object(v), depth)
	case TypedObject:
		if len(v.Class) > math.MaxUint16 {
			return appendMembers0(append(dst, m0Object), v.Properties, depth)
		}
		dst = appendName0(append(dst, m0TypedObject), v.Class)
		return appendMembers0(dst, v.Properties, depth)
	case StrictArray:
		dst = be.AppendUint32(append(dst, m0StrictArray), uint32(len(v)))
		for _, x := range v {
			dst = append0(dst, plain(x), depth+1)
		}
		return dst
	case XML, ByteArray, VectorInt, VectorUint, VectorDouble, VectorObject, Dictionary, Externalizable:
		return append3(append(dst, m0AVMPlus), v, depth)
	}
	return append(dst, m0Unsupported)
}

func appendMembers0(dst []byte, ps Object, depth int) []byte {
	for _, p := range ps {
		if len(p.Key) > math.MaxUint16 {
			continue
		}
		dst = appendName0(dst, p.Key)
		dst = append0(dst, plain(p.Value), depth+1)
	}
	return append(dst, 0, 0, m0ObjectEnd)
}

// appendName0 appends a string of at most 65,535 bytes.
func appendName0(dst []byte, s string) []byte {
	dst = be.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

func appendLong0(dst []byte, marker byte, s string) []byte {
	if uint64(len(s)) > math.MaxUint32 {
		return append(dst, m0Unsupported)
	}
	dst = be.AppendUint32(append(dst, marker), uint32(len(s)))
	return append(dst, s...)
}

func appendFloat(dst []byte, f float64) []byte {
	return be.AppendUint64(dst, math.Float64bits(f))
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
