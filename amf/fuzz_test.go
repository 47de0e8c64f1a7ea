package amf

import (
	"bytes"
	"testing"
)

// depthOf returns how many containers lie within one another, and how many values there are.
// It recurses without a bound of its own: that the Decoder's values are finite trees is what is
// tested.
func depthOf(v any) (depth, values int) {
	within := func(xs ...any) {
		for _, x := range xs {
			d, n := depthOf(x)
			depth, values = max(depth, d), values+n
		}
	}
	switch v := v.(type) {
	case Object:
		for _, p := range v {
			within(p.Value)
		}
	case ECMAArray:
		for _, p := range v {
			within(p.Value)
		}
	case TypedObject:
		for _, p := range v.Properties {
			within(p.Value)
		}
	case StrictArray:
		within(v...)
	case VectorObject:
		within(v.Values...)
	case Externalizable:
		within(v.Value)
	case Dictionary:
		for _, e := range v.Entries {
			within(e.Key, e.Value)
		}
	default:
		return 0, 1
	}
	return depth + 1, values + 1
}

// fuzz decodes with resource oracles: allocation, depth, values, progress; and
// checks that what was decoded, encoded and decoded again encodes to the same bytes.
func fuzz(f *testing.F, decoder func([]byte, Limits) *Decoder, encode func([]byte, any) []byte) {
	f.Fuzz(func(t *testing.T, p []byte) {
		var vs []any
		n := allocated(func() {
			d := decoder(p, Limits{})
			for {
				before := d.Offset()
				v, err := d.Decode()
				if err != nil {
					if e, ok := err.(*Error); ok && (e.Offset < 0 || e.Offset > len(p)) {
						t.Fatalf("%v of %d", err, len(p))
					}
					return
				}
				if d.Offset() <= before || d.Offset() > len(p) {
					t.Fatalf("no progress at %d", before)
				}
				vs = append(vs, v)
			}
		})
		if n > maxAlloc(len(p)) {
			t.Fatalf("%d bytes allocated for %d", n, len(p))
		}
		total := 0
		var first []byte
		for _, v := range vs {
			depth, values := depthOf(v)
			if total += values; depth > DefaultDepth || total > DefaultValues {
				t.Fatalf("depth %d, %d values", depth, total)
			}
			first = encode(first, v)
		}
		// A value costs at most 16 bytes beside its text on the wire.
		if len(first) > 16*DefaultValues+2*DefaultBytes {
			t.Fatalf("%d bytes became %d", len(p), len(first))
		}
		again, err := all(decoder(first, Limits{Values: 8 * DefaultValues, Bytes: 8 * DefaultBytes}))
		if err != nil || len(again) != len(vs) {
			t.Fatalf("%d values of %d: %v", len(again), len(vs), err)
		}
		var second []byte
		for _, v := range again {
			second = encode(second, v)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("%x\nbecame %x", first, second)
		}
	})
}

// connectFFmpeg is the connect command as ffmpeg's client sends it.
const connectFFmpeg = "02 0007 636f6e6e656374 00 3ff0000000000000 03" +
	"0003 617070 02 0004 6c697665" +
	"0004 74797065 02 000a 6e6f6e70726976617465" +
	"0008 666c617368566572 02 0024 464d4c452f332e302028636f6d70617469626c653b204c61766635392e32372e31303029" +
	"0005 746355726c 02 001a 72746d703a2f2f3132372e302e302e313a313933352f6c697665" +
	"0000 09"

func FuzzAMF0(f *testing.F) {
	for _, s := range []string{
		connectFFmpeg,
		"08 00000001 0001 61 06 0000 09", "0a 00000002 03 0001 61 05 0000 09 07 0001", "0b 4277b7f3b5a00000 ffc4", "0c 00000001 61",
		"0f 00000004 3c612f3e", "10 0001 43 0001 61 05 0000 09", "11 0a 0b 01 03 61 04 05 01", "0d 06 05 01 01", "0a 00000001 07 0000",
		"0a ffffffff 05", "0a 00000001 0a 00000001 0a 00000001", "00 7ff8000000000001", "03 0000 05 0000 09",
	} {
		f.Add(unhex(f, s))
	}
	fuzz(f, NewDecoder0, Append0)
}

func FuzzAMF3(f *testing.F) {
	for _, s := range []string{
		"06 03 61 06 00", "08 01 0000000000000000 0c 03 07 0b 03 78 0c 02 0b 04 08 00",
		"0a 23 03 43 03 61 03 62 01 02 0a 01 03 01", "0a 1b 01 03 61 01 03 62 02 01", "09 05 03 61 01 01 02 03", "0a 13 01 01 01",
		"0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e 09 01 01",
		"0d 05 01 ffffffff 00000001", "0e 03 00 ffffffff", "0f 03 00 3ff8000000000000", "10 03 00 03 2a 01", "11 03 01 04 01 06 03 61",
		"09 03 01 09 03 01 09 03 01", "09 ffffffff 01 01", "04 ffffffff 05 7ff8000000000001", "07 09 3c612f3e", "09 03 01 09 00",
	} {
		f.Add(unhex(f, s))
	}
	fuzz(f, NewDecoder3, Append3)
}
