package amf

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
)

// allocated returns what f allocates, in bytes. The counter is that of the whole
// process, so callers leave room: the oracle has a MiB of it.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// maxAlloc is the oracle that every decoder of Weir is held to.
func maxAlloc(input int) uint64 { return 8*uint64(input) + 1<<20 }

func repeat(n int, hex string) func(testing.TB) []byte {
	return func(t testing.TB) []byte { return bytes.Repeat(unhex(t, hex), n) }
}

func plainHex(hex string) func(testing.TB) []byte {
	return func(t testing.TB) []byte { return unhex(t, hex) }
}

// TestBytesFromStrangers: the rows of the fault list that concern AMF.
func TestBytesFromStrangers(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name    string
		version int
		in      func(testing.TB) []byte
		reason  string
	}{
		{"10 MiB of nested strict arrays", 0, repeat(2*mib, "0a 00000001"), ReasonDepth},
		{"10 MiB of nested objects", 0, repeat(2*mib, "03 0001 61"), ReasonDepth},
		{"10 MiB of nested ECMA arrays", 0, repeat(mib, "08 00000001 0001 61"), ReasonDepth},
		{"10 MiB of nested typed objects", 0, repeat(mib, "10 0001 61 0001 61"), ReasonDepth},
		{"10 MiB of avmplus markers", 0, repeat(mib, "11 11"), ReasonDepth},
		{"nested AMF3 arrays", 3, repeat(2*mib, "09 03 01"), ReasonDepth},
		{"nested AMF3 objects", 3, repeat(2*mib, "0a 0b 01 03 61"), ReasonDepth},
		{"nested AMF3 vectors", 3, repeat(2*mib, "10 03 00 01"), ReasonDepth},
		{"nested AMF3 dictionaries", 3, repeat(2*mib, "11 03 00"), ReasonDepth},
		{"nested externalizables", 3, func(t testing.TB) []byte {
			one := unhex(t, "0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e")
			return append(one, bytes.Repeat([]byte{0x0a, 0x01}, mib)...)
		}, ReasonDepth},
		{"nested AMF3 in AMF0", 0, func(t testing.TB) []byte {
			return append(bytes.Repeat(unhex(t, "0a 00000001"), 20), append([]byte{0x11}, bytes.Repeat(unhex(t, "09 03 01"), 20)...)...)
		}, ReasonDepth},
		{"strict array of 0xFFFFFFFF", 0, plainHex("0a ffffffff 05"), ReasonTruncated},
		{"ECMA array of 0xFFFFFFFF", 0, plainHex("08 ffffffff 0001 61"), ReasonTruncated},
		{"long string of 0xFFFFFFFF", 0, plainHex("0c ffffffff 61"), ReasonTruncated},
		{"XML of 0xFFFFFFFF", 0, plainHex("0f ffffffff 61"), ReasonTruncated},
		{"string of 0xFFFF", 0, plainHex("02 ffff 61"), ReasonTruncated},
		{"AMF3 array of 2^28-1", 3, plainHex("09 ffffffff 01 01"), ReasonTruncated},
		{"AMF3 string of 2^28-1", 3, plainHex("06 ffffffff 61"), ReasonTruncated},
		{"AMF3 byte array of 2^28-1", 3, plainHex("0c ffffffff 61"), ReasonTruncated},
		{"AMF3 vector of 2^28-1", 3, plainHex("0f ffffffff 00 00"), ReasonTruncated},
		{"AMF3 vector of objects of 2^28-1", 3, plainHex("10 ffffffff 00 01 01"), ReasonTruncated},
		{"AMF3 dictionary of 2^28-1", 3, plainHex("11 ffffffff 00 01 01"), ReasonTruncated},
		{"AMF3 object of 2^25-1 sealed members", 3, plainHex("0a fffffff3 01"), ReasonTruncated},
		{"a megabyte of nulls in an array", 0, func(t testing.TB) []byte {
			return append(unhex(t, "0a 00100000"), bytes.Repeat([]byte{5}, mib)...)
		}, ReasonValues},
		{"a megabyte of nulls", 0, repeat(mib, "05"), ReasonValues},
		{"a megabyte of AMF3 nulls", 3, repeat(mib, "01"), ReasonValues},
		{"a megabyte of members", 0, func(t testing.TB) []byte {
			return append([]byte{3}, bytes.Repeat(unhex(t, "0001 61 05"), mib/4)...)
		}, ReasonValues},
		{"sealed names without end", 3, func(t testing.TB) []byte {
			return append(unhex(t, "0a 84 80 03 01"), bytes.Repeat(unhex(t, "03 61"), mib)...)
		}, ReasonValues},
		{"text over the limit", 0, func(t testing.TB) []byte {
			return append(unhex(t, "0c 00100000"), bytes.Repeat([]byte{'a'}, mib)...)
		}, ReasonBytes},
		{"vector over the limit", 3, func(t testing.TB) []byte {
			return append(unhex(t, "0d 84 80 01 00"), bytes.Repeat([]byte{'a'}, mib)...)
		}, ReasonBytes},
		{"references to long text", 3, func(t testing.TB) []byte {
			return append(append(unhex(t, "06 818001"), bytes.Repeat([]byte{'a'}, 8192)...), bytes.Repeat(unhex(t, "06 00"), 1000)...)
		}, ReasonBytes},
		{"references to a long byte array", 3, func(t testing.TB) []byte {
			return append(append(unhex(t, "0c 818001"), bytes.Repeat([]byte{'a'}, 8192)...), bytes.Repeat(unhex(t, "0c 00"), 1000)...)
		}, ReasonBytes},
		{"an array that contains itself", 0, plainHex("0a 00000001 07 0000"), ReasonCycle},
		{"an object that contains itself", 0, plainHex("03 0001 61 07 0000 0000 09"), ReasonCycle},
		{"an object within that contains its parent", 0, plainHex("03 0001 61 03 0001 61 07 0000 0000 09 0000 09"), ReasonCycle},
		{"an AMF3 array that contains itself", 3, plainHex("09 03 01 09 00"), ReasonCycle},
		{"an AMF3 object that contains itself", 3, plainHex("0a 0b 01 03 61 0a 00 01"), ReasonCycle},
		{"a dictionary whose key is itself", 3, plainHex("11 03 00 11 00 01"), ReasonCycle},
		{"a vector that contains itself", 3, plainHex("10 03 00 01 10 00"), ReasonCycle},
		{"a wrapper of itself", 3, plainHex("0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e 0a 00"), ReasonCycle},
		{"doubling by references", 0, func(t testing.TB) []byte {
			// Object 0 is an array of two; each next one holds its predecessor twice.
			b := unhex(t, "0a 00000014 0a 00000002 05 05")
			for i := range 19 {
				b = append(b, unhex(t, "0a 00000002 07")...)
				b = append(b, 0, byte(i+1), 7, 0, byte(i+1))
			}
			return b
		}, ReasonValues},
		{"deepening by references", 0, func(t testing.TB) []byte {
			b := unhex(t, "0a 00000028 0a 00000001 05")
			for i := range 39 {
				b = append(b, unhex(t, "0a 00000001 07 00")...)
				b = append(b, byte(i+1))
			}
			return b
		}, ReasonDepth},
		{"a reference to nothing", 0, plainHex("07 0000"), ReasonReference},
		{"an AMF3 string reference to nothing", 3, plainHex("06 00"), ReasonReference},
		{"an AMF3 object reference to nothing", 3, plainHex("0a 02"), ReasonReference},
		{"a traits reference to nothing", 3, plainHex("0a 05"), ReasonReference},
		{"a largest reference", 3, plainHex("0a fffffffe"), ReasonReference},
		{"a private externalizable", 3, plainHex("0a 07 07 44534b 01"), ReasonExternalizable},
		{"movie clip", 0, plainHex("04"), ReasonMarker},
		{"record set", 0, plainHex("0e"), ReasonMarker},
		{"object end", 0, plainHex("09"), ReasonMarker},
		{"AMF0 marker 0xff", 0, plainHex("ff"), ReasonMarker},
		{"AMF3 marker 0x12", 3, plainHex("12 01"), ReasonMarker},
		{"avmplus marker alone", 0, plainHex("11"), ReasonTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.in(t)
			d := NewDecoder0(b, Limits{})
			if c.version == 3 {
				d = NewDecoder3(b, Limits{})
			}
			var err error
			if n := allocated(func() { _, err = all(d) }); n > maxAlloc(len(b)) {
				t.Errorf("%d bytes allocated for %d", n, len(b))
			}
			var e *Error
			if !errors.As(err, &e) || e.Reason != c.reason {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			if e.Offset < 0 || e.Offset > len(b) {
				t.Errorf("offset %d of %d", e.Offset, len(b))
			}
			if _, again := d.Decode(); again != err {
				t.Errorf("the error does not stay: %v", again)
			}
		})
	}
}

// TestLimits: what is just within the limits is accepted.
func TestLimits(t *testing.T) {
	nest := func(n int) []byte {
		return append(bytes.Repeat([]byte{0x0a, 0, 0, 0, 1}, n), 5)
	}
	for _, c := range []struct {
		name string
		in   []byte
		lim  Limits
		ok   bool
	}{
		{"32 deep", nest(32), Limits{}, true},
		{"33 deep", nest(33), Limits{}, false},
		{"depth has a ceiling", nest(maxDepth + 1), Limits{Depth: 1 << 30, Values: 1 << 20}, false},
		{"1,024 values", bytes.Repeat([]byte{5}, 1024), Limits{}, true},
		{"1,025 values", bytes.Repeat([]byte{5}, 1025), Limits{}, false},
		{"2 bytes", []byte{2, 0, 2, 'a', 'b'}, Limits{Bytes: 2}, true},
		{"3 bytes", []byte{2, 0, 3, 'a', 'b', 'c'}, Limits{Bytes: 2}, false},
	} {
		if _, err := all(NewDecoder0(c.in, c.lim)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := NewDecoder0([]byte{0x11, 0x0a, 0x02}, Limits{}).Decode()
	if got := err.Error(); got != "amf3: amf_reference at offset 1 (marker 0x0a)" {
		t.Error(got)
	}
}
