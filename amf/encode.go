package amf

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Append0 appends v in AMF0 form to dst and returns the longer slice. v must be a
// tree: a Go value that contains itself is written 512 times over.
//
// Beside the types of this package it takes every integer and float type of Go (as
// numbers), time.Time, []byte, []any, []string and map[string]any (members
// sorted by name). Values that only AMF3 has travel behind the avmplus marker.
// What cannot be expressed does not fail, since it is the caller's mistake and
// not a peer's: a value of another type becomes unsupported, a member whose name
// has over 65,535 bytes is left out, and what lies deeper than 512 containers
// becomes null.
func Append0(dst []byte, v any) []byte { return append0(dst, plain(v), 0) }

// Append3 appends v in AMF3 form to dst and returns the longer slice. It takes
// what [Append0] takes. Go integers become AMF3 integers if they have 29 bits,
// else doubles; float64 is always a double. It writes no references. A value
// of another type, or text of over 2^28 bytes, becomes undefined; an
// ECMAArray's member without a name is left out, because AMF3 has no form for it.
func Append3(dst []byte, v any) []byte { return append3(dst, plain(v), 0) }

// plain turns the Go types that are taken for convenience into those of this
// package. It returns integers as int64 if they fit and float64 else.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint:
		return plain(uint64(v))
	case uint64:
		if v > math.MaxInt64 {
			return float64(v)
		}
		return int64(v)
	case float32:
		return float64(v)
	case time.Time:
		return NewDate(v)
	case []byte:
		return ByteArray(v)
	case []any:
		return StrictArray(v)
	case []string:
		a := make(StrictArray, len(v))
		for i, s := range v {
			a[i] = s
		}
		return a
	case []Property:
		return Object(v)
	case map[string]any:
		o := make(Object, 0, len(v))
		for k, x := range v {
			o = append(o, Property{Key: k, Value: x})
		}
		slices.SortFunc(o, func(a, b Property) int { return cmp.Compare(a.Key, b.Key) })
		return o
	}
	return v
}
