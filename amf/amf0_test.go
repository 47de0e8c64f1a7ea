package amf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// unhex joins hexadecimal digits with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func all(d *Decoder) (vs []any, err error) {
	for {
		v, err := d.Decode()
		if err == io.EOF {
			return vs, nil
		}
		if err != nil {
			return vs, err
		}
		vs = append(vs, v)
	}
}

func TestAMF0Values(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
		want any
	}{
		{"§2.2 number", "00 3ff8000000000000", 1.5},
		{"§2.2 infinity", "00 7ff0000000000000", math.Inf(1)},
		{"§2.3 boolean", "01 01", true},
		{"§2.4 string", "02 0004 6c697665", "live"},
		{"§2.4 empty string", "02 0000", ""},
		{"§2.5 object", "03 0001 61 05 0001 62 01 00 0000 09", Object{{"a", nil}, {"b", false}}},
		{"§2.5 empty object", "03 0000 09", Object{}},
		{"§2.5 member without a name", "03 0000 05 0000 09", Object{{"", nil}}},
		{"§2.7 null", "05", nil},
		{"§2.8 undefined", "06", Undefined{}},
		{"§2.10 ECMA array", "08 00000001 0001 61 06 0000 09", ECMAArray{{"a", Undefined{}}}},
		{"§2.12 strict array", "0a 00000002 05 01 01", StrictArray{nil, true}},
		{"§2.12 empty strict array", "0a 00000000", StrictArray{}},
		{"§2.13 date", "0b 4277b7f3b5a00000 0000", Date{Milliseconds: math.Float64frombits(0x4277b7f3b5a00000)}},
		{"§2.13 date with a zone", "0b 0000000000000000 ffc4", Date{Zone: -60}},
		{"§2.15 unsupported", "0d", Unsupported{}},
		{"§2.17 XML document", "0f 00000004 3c612f3e", XMLDocument("<a/>")},
		{"§2.18 typed object", "10 0001 43 0001 61 05 0000 09", TypedObject{"C", Object{{"a", nil}}}},
		{"§3.1 avmplus byte array", "11 0c 05 0102", ByteArray{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			d := NewDecoder0(b, Limits{})
			got, err := d.Decode()
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %#v, %v, want %#v", got, err, c.want)
			}
			if d.Offset() != len(b) {
				t.Errorf("offset %d of %d", d.Offset(), len(b))
			}
			if _, err := d.Decode(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if out := Append0(nil, c.want); !bytes.Equal(out, b) {
				t.Errorf("encoded %x, want %x", out, b)
			}
			// Every prefix ends in a value and says so.
			for i := 1; i < len(b); i++ {
				var e *Error
				if _, err := NewDecoder0(b[:i], Limits{}).Decode(); !errors.As(err, &e) || e.Reason != ReasonTruncated {
					t.Errorf("first %d bytes: %v", i, err)
				}
			}
		})
	}
}

func TestAMF0DecodesOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
		want any
	}{
		{"§2.14 short text in a long string", "0c 00000001 61", "a"},
		{"ECMA array with a wrong count", "08 ffffffff 0001 61 06 0000 09", ECMAArray{{"a", Undefined{}}}},
		{"§2.9 reference", "0a 00000002 03 0001 61 05 0000 09 07 0001", StrictArray{Object{{"a", nil}}, Object{{"a", nil}}}},
		{"avmplus object", "11 0a 0b 01 03 61 04 05 01", Object{{"a", int32(5)}}},
		{"avmplus tables last", "0a 00000002 11 06 03 61 11 06 00", StrictArray{"a", "a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NewDecoder0(unhex(t, c.hex), Limits{}).Decode()
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %#v, %v, want %#v", got, err, c.want)
			}
		})
	}
}

func TestAMF0NaN(t *testing.T) {
	b := unhex(t, "00 7ff8000000000001")
	v, err := NewDecoder0(b, Limits{}).Decode()
	if f, ok := v.(float64); err != nil || !ok || !math.IsNaN(f) {
		t.Fatalf("got %v, %v", v, err)
	}
	if out := Append0(nil, v); !bytes.Equal(out, b) {
		t.Errorf("NaN did not survive: %x", out)
	}
	if !(Date{Milliseconds: math.NaN()}).Time().IsZero() {
		t.Error("a date that is not a number must be the zero time")
	}
}

func TestAMF0LongString(t *testing.T) {
	for _, n := range []int{65535, 65536, 70000} {
		s := strings.Repeat("x", n)
		b := Append0(nil, s)
		if wide := b[0] == m0LongString; wide != (n > 65535) {
			t.Errorf("%d bytes: marker %#x", n, b[0])
		}
		v, err := NewDecoder0(b, Limits{Bytes: 1 << 20}).Decode()
		if err != nil || v != s {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestAppend0GoTypes(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for _, c := range []struct{ in, want any }{
		{7, 7.0}, {int8(-7), -7.0}, {int32(7), 7.0}, {uint16(7), 7.0}, {uint64(math.MaxUint64), 0x1p64}, {uint(3), 3.0},
		{float32(0.5), 0.5},
		{[]string{"a"}, StrictArray{"a"}},
		{[]any{1}, StrictArray{1.0}},
		{map[string]any{"b": 1, "a": 2}, Object{{"a", 2.0}, {"b", 1.0}}},
		{[]Property{{"a", 1}}, Object{{"a", 1.0}}},
		{[]byte{1}, ByteArray{1}},
		{when, Date{Milliseconds: float64(when.UnixMilli())}},
		{struct{}{}, Unsupported{}},
		{Object{{strings.Repeat("k", 65536), 1}, {"a", 1}}, Object{{"a", 1.0}}},
		{TypedObject{Class: strings.Repeat("k", 65536)}, Object{}},
	} {
		got, err := NewDecoder0(Append0(nil, c.in), Limits{}).Decode()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v: got %#v, %v, want %#v", c.in, got, err, c.want)
		}
	}
	if got := NewDate(when).Time(); !got.Equal(when) {
		t.Errorf("date: %v", got)
	}
}

// TestAppendCycle: a Go value that contains itself is a mistake of the program,
// and still does not overflow the stack.
func TestAppendCycle(t *testing.T) {
	a := StrictArray{nil}
	a[0] = a
	if n := len(Append0(nil, a)) + len(Append3(nil, a)); n > 64<<10 {
		t.Errorf("%d bytes", n)
	}
}

func TestObject(t *testing.T) {
	o := Object{{"s", "x"}, {"n", 1.0}, {"b", true}, {"i", int32(-2)}, {"n", 2.0}}
	if o.String("s") != "x" || o.Number("n") != 2 || !o.Bool("b") || o.Number("i") != -2 {
		t.Errorf("%v", o)
	}
	if o.String("n") != "" || o.Number("s") != 0 || o.Bool("none") || o.Get("none") != nil {
		t.Error("a member of another type must be the zero value")
	}
	c := o.Clone()
	c.Set("s", "y")
	c.Set("new", nil)
	if o.String("s") != "x" || c.String("s") != "y" || len(c) != len(o)+1 {
		t.Errorf("%v %v", o, c)
	}
	a := ECMAArray(c)
	a.Set("n", 3)
	if a.String("s") != "y" || !a.Bool("b") || a.Number("i") != -2 || a.Get("n") != 3 {
		t.Errorf("%v", a)
	}
	for _, v := range []any{o, ECMAArray(o), TypedObject{Properties: o}} {
		if p, ok := Properties(v); !ok || p.Number("n") != 2 {
			t.Errorf("%T", v)
		}
	}
	if _, ok := Properties("x"); ok {
		t.Error("a string has no members")
	}
}
