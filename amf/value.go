package amf

import (
	"strings"
	"time"
)

// Property is one named member of an object. Names are bytes from a stranger:
// they need not be valid UTF-8, and one name may occur more than once.
type Property struct {
	Key   string
	Value any
}

// Object is an anonymous object (AMF0 §2.5, AMF3 §3.12 with an empty class).
// It is a slice and not a map, because the order of the members is part of what
// a client sent and must survive being forwarded.
type Object []Property

// ECMAArray is an associative array (AMF0 §2.10, the associative portion of AMF3
// §3.11). An AMF3 array with both portions decodes to an ECMAArray whose dense
// members come last under the keys "0", "1", …
type ECMAArray []Property

// StrictArray is a dense array (AMF0 §2.12, the dense portion of AMF3 §3.11).
type StrictArray []any

// TypedObject is an object of a named class (AMF0 §2.18, AMF3 §3.12).
type TypedObject struct {
	Class      string
	Properties Object
}

// Undefined is the undefined value; the null value is nil.
type Undefined struct{}

// Unsupported is the AMF0 marker that a sender writes in the place of a value
// that it cannot express.
type Unsupported struct{}

// XMLDocument is the text of a flash.xml.XMLDocument (AMF0 §2.17, AMF3 §3.9).
type XMLDocument string

// XML is the text of an E4X XML value (AMF3 §3.13).
type XML string

// Date is a moment in milliseconds since 1970-01-01 UTC. Zone is the reserved
// field of AMF0 (minutes; should be 0, never to be applied); AMF3 has none.
type Date struct {
	Milliseconds float64
	Zone         int16
}

// Time returns the moment to the millisecond; NaN and what does not fit a
// 64-bit count of milliseconds give the zero Time.
func (d Date) Time() time.Time {
	if !(d.Milliseconds > -1<<62 && d.Milliseconds < 1<<62) {
		return time.Time{}
	}
	return time.UnixMilli(int64(d.Milliseconds)).UTC()
}

// NewDate returns the Date of t, to the millisecond.
func NewDate(t time.Time) Date { return Date{Milliseconds: float64(t.UnixMilli())} }

// Get returns the value of key, nil if it is absent. Of several members with
// one name the last counts, as it would in a client.
func (o Object) Get(key string) any { return get(o, key) }

// String returns the string under key, "" if it is absent or no string.
func (o Object) String(key string) string {
	s, _ := o.Get(key).(string)
	return s
}

// Number returns the number under key (an AMF3 integer included), 0 if it is
// absent or no number. It can be NaN or infinite.
func (o Object) Number(key string) float64 { return number(o.Get(key)) }

// Bool returns the boolean under key, false if it is absent or no boolean.
func (o Object) Bool(key string) bool {
	b, _ := o.Get(key).(bool)
	return b
}

// Set replaces the value of key in place, or appends the member. Decoded values
// may share memory with each other where the sender used references: Set on an
// object that was decoded can be seen through its siblings. Clone first.
func (o *Object) Set(key string, v any) { *o = set(*o, key, v) }

// Clone returns a copy of the member list; the values are shared.
func (o Object) Clone() Object { return append(Object(nil), o...) }

// Get returns the value of key, nil if it is absent; the last of several.
func (a ECMAArray) Get(key string) any { return get(a, key) }

// String returns the string under key, "" if it is absent or no string.
func (a ECMAArray) String(key string) string { return Object(a).String(key) }

// Number returns the number under key, 0 if it is absent or no number.
func (a ECMAArray) Number(key string) float64 { return number(a.Get(key)) }

// Bool returns the boolean under key, false if it is absent or no boolean.
func (a ECMAArray) Bool(key string) bool { return Object(a).Bool(key) }

// Set replaces the value of key in place, or appends the member.
func (a *ECMAArray) Set(key string, v any) { *a = set(*a, key, v) }

// Properties returns the members of v if it is an Object, an ECMAArray or a
// TypedObject, the three forms in which clients send named fields.
func Properties(v any) (Object, bool) {
	switch v := v.(type) {
	case Object:
		return v, true
	case ECMAArray:
		return Object(v), true
	case TypedObject:
		return v.Properties, true
	}
	return nil, false
}

func get[T ~[]Property](ps T, key string) any {
	for i := len(ps) - 1; i >= 0; i-- {
		if ps[i].Key == key {
			return ps[i].Value
		}
	}
	return nil
}

// set clones the key: a key that was cut out of a longer text must not keep
// that text alive for as long as the object lives.
func set[T ~[]Property](ps T, key string, v any) T {
	for i := len(ps) - 1; i >= 0; i-- {
		if ps[i].Key == key {
			ps[i].Value = v
			return ps
		}
	}
	return append(ps, Property{Key: strings.Clone(key), Value: v})
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int32:
		return float64(v)
	}
	return 0
}
