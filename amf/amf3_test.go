package amf

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
)

func TestAMF3Values(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
		want any
	}{
		{"§3.2 undefined", "00", Undefined{}},
		{"§3.3 null", "01", nil},
		{"§3.4 false", "02", false},
		{"§3.5 true", "03", true},
		{"§3.6 integer, 1 byte", "04 7f", int32(127)},
		{"§3.6 integer, 2 bytes", "04 8100", int32(128)},
		{"§3.6 integer, 3 bytes", "04 ffff7f", int32(1<<21 - 1)},
		{"§3.6 integer, 4 bytes", "04 80c08000", int32(1 << 21)},
		{"§3.6 largest integer", "04 bfffffff", int32(1<<28 - 1)},
		{"§3.6 smallest integer", "04 c0808000", int32(-1 << 28)},
		{"§3.6 minus one", "04 ffffffff", int32(-1)},
		{"§3.7 double", "05 3ff8000000000000", 1.5},
		{"§3.8 string", "06 09 6c697665", "live"},
		{"§3.8 empty string", "06 01", ""},
		{"§3.9 XML document", "07 09 3c612f3e", XMLDocument("<a/>")},
		{"§3.10 date", "08 01 0000000000000000", Date{}},
		{"§3.11 dense array", "09 05 01 01 03", StrictArray{nil, true}},
		{"§3.11 empty array", "09 01 01", StrictArray{}},
		{"§3.11 associative array", "09 01 03 61 01 01", ECMAArray{{"a", nil}}},
		{"§3.12 anonymous object", "0a 0b 01 03 61 01 01", Object{{"a", nil}}},
		{"§3.12 typed object", "0a 0b 03 43 01", TypedObject{"C", Object{}}},
		{"§3.12 member without a name", "0a 13 01 01 01", Object{{"", nil}}},
		{"§3.12 ArrayCollection", "0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e 09 01 01",
			Externalizable{"flex.messaging.io.ArrayCollection", StrictArray{}}},
		{"§3.13 XML", "0b 09 3c612f3e", XML("<a/>")},
		{"§3.14 byte array", "0c 05 00ff", ByteArray{0, 255}},
		{"§3.15 Vector.<int>", "0d 05 01 ffffffff 00000001", VectorInt{true, []int32{-1, 1}}},
		{"§3.15 Vector.<uint>", "0e 03 00 ffffffff", VectorUint{false, []uint32{math.MaxUint32}}},
		{"§3.15 Vector.<Number>", "0f 03 00 3ff8000000000000", VectorDouble{false, []float64{1.5}}},
		{"§3.15 Vector of objects", "10 03 00 03 2a 01", VectorObject{false, "*", []any{nil}}},
		{"§3.16 dictionary", "11 03 01 04 01 06 03 61", Dictionary{true, []Entry{{int32(1), "a"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			d := NewDecoder3(b, Limits{})
			got, err := d.Decode()
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %#v, %v, want %#v", got, err, c.want)
			}
			if _, err := d.Decode(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if out := Append3(nil, c.want); !bytes.Equal(out, b) {
				t.Errorf("encoded %x, want %x", out, b)
			}
			for i := 1; i < len(b); i++ {
				var e *Error
				if _, err := NewDecoder3(b[:i], Limits{}).Decode(); !errors.As(err, &e) || e.Reason != ReasonTruncated {
					t.Errorf("first %d bytes: %v", i, err)
				}
			}
		})
	}
}

func TestAMF3References(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
		want []any
	}{
		{"strings", "06 03 61 06 00", []any{"a", "a"}},
		{"the empty string has no entry", "06 01 06 03 61 06 00", []any{"", "a", "a"}},
		{"objects", "09 01 01 09 00", []any{StrictArray{}, StrictArray{}}},
		{"dates, byte arrays and XML share a table", "08 01 0000000000000000 0c 03 07 0b 03 78 0c 02 0b 04 08 00",
			[]any{Date{}, ByteArray{7}, XML("x"), ByteArray{7}, XML("x"), Date{}}},
		{"traits", "0a 23 03 43 03 61 03 62 01 02 0a 01 03 01",
			[]any{TypedObject{"C", Object{{"a", nil}, {"b", false}}}, TypedObject{"C", Object{{"a", true}, {"b", nil}}}}},
		{"sealed and dynamic members", "0a 1b 01 03 61 01 03 62 02 01", []any{Object{{"a", nil}, {"b", false}}}},
		{"class names are strings", "06 03 43 0a 0b 00 01", []any{"C", TypedObject{"C", Object{}}}},
		{"both portions of an array", "09 05 03 61 01 01 02 03", []any{ECMAArray{{"a", nil}, {"0", false}, {"1", true}}}},
		{"traits of an anonymous object", "0a 0b 01 01 0a 01 01",
			[]any{Object{}, Object{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := all(NewDecoder3(unhex(t, c.hex), Limits{}))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %#v, %v, want %#v", got, err, c.want)
			}
		})
	}
}

func TestAppend3GoTypes(t *testing.T) {
	for _, c := range []struct{ in, want any }{
		{5, int32(5)}, {1 << 28, 0x1p28}, {-1<<28 - 1, -0x1p28 - 1}, {5.0, 5.0},
		{struct{}{}, Undefined{}},
		{ECMAArray{{"", 1}, {"a", 1}}, ECMAArray{{"a", int32(1)}}},
		{TypedObject{"C", Object{{"", 1}, {"a", 1}}}, TypedObject{"C", Object{{"", int32(1)}, {"a", int32(1)}}}},
		{Unsupported{}, Undefined{}},
	} {
		got, err := NewDecoder3(Append3(nil, c.in), Limits{}).Decode()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v: got %#v, %v, want %#v", c.in, got, err, c.want)
		}
	}
}
