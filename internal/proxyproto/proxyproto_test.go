package proxyproto

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

var (
	src4 = netip.MustParseAddrPort("192.0.2.7:40001")
	dst4 = netip.MustParseAddrPort("198.51.100.1:1935")
	src6 = netip.MustParseAddrPort("[2001:db8::7]:40001")
)

// The bytes are those of the specification's examples and of HAProxy 2.6.
var fixtures = []struct {
	name, wire string
	want       Header
}{
	{"v1 TCP4", "PROXY TCP4 192.0.2.7 198.51.100.1 40001 1935\r\n", Header{Source: src4, Destination: dst4}},
	{"v1 TCP6", "PROXY TCP6 2001:db8::7 2001:db8::1 40001 1935\r\n", Header{Source: src6, Destination: netip.MustParseAddrPort("[2001:db8::1]:1935")}},
	{"v1 unknown", "PROXY UNKNOWN\r\n", Header{}},
	{"v1 unknown with addresses", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Header{}},
	{"v2 TCP4", signature + "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x41\x07\x8f", Header{Source: src4, Destination: dst4}},
	{"v2 TCP4 with a TLV", signature + "\x21\x11\x00\x11\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x41\x07\x8f\x04\x00\x02ab", Header{Source: src4, Destination: dst4}},
	{"v2 TCP6", signature + "\x21\x21\x00\x24\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x07" + "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x9c\x41\x07\x8f",
		Header{Source: src6, Destination: netip.MustParseAddrPort("[2001:db8::1]:1935")}},
	{"v2 local", signature + "\x20\x00\x00\x00", Header{Local: true}},
	{"v2 UNIX", signature + "\x21\x31\x00\x02xx", Header{}},
}

func TestReadTakesTheHeaderAndNothingElse(t *testing.T) {
	for _, f := range fixtures {
		r := strings.NewReader(f.wire + "\x03rest")
		got, err := Read(iotest.OneByteReader(r))
		rest, _ := io.ReadAll(r)
		if err != nil || got != f.want || string(rest) != "\x03rest" {
			t.Errorf("%s: %+v %v, left %q", f.name, got, err, rest)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, wire := range map[string]string{
		"RTMP":                   "\x03" + strings.Repeat("\x00", 1536),
		"another word":           "PROXYx TCP4 1 ",
		"no end":                 "PROXY TCP4 " + strings.Repeat("1", 200) + "\r\n",
		"LF alone":               "PROXY TCP4 192.0.2.7 198.51.100.1 40001 1935\n",
		"ends early":             "PROXY TCP4 192.0.2",
		"a family that lies":     "PROXY TCP4 2001:db8::7 2001:db8::1 40001 1935\r\n",
		"a zone":                 "PROXY TCP6 fe80::1%eth0 2001:db8::1 40001 1935\r\n",
		"a port too large":       "PROXY TCP4 192.0.2.7 198.51.100.1 65536 1935\r\n",
		"a signed port":          "PROXY TCP4 192.0.2.7 198.51.100.1 +1 1935\r\n",
		"no port":                "PROXY TCP4 192.0.2.7 198.51.100.1  1935\r\n",
		"UDP":                    "PROXY UDP4 192.0.2.7 198.51.100.1 1 1935\r\n",
		"v2, version 3":          signature + "\x31\x11\x00\x00",
		"v2, a command":          signature + "\x22\x11\x00\x00",
		"v2, short addresses":    signature + "\x21\x11\x00\x04\x01\x02\x03\x04",
		"v2, ends early":         signature + "\x21\x11\x00\x0c\xc0",
		"v2, endless":            signature + "\x21\x11\xff\xff" + strings.Repeat("x", 70000),
		"v2, only the signature": signature,
	} {
		var e *Error
		if h, err := Read(strings.NewReader(wire)); !errors.As(err, &e) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %+v %v", name, h, err)
		}
	}
	want := errors.New("the reader's own")
	if _, err := Read(iotest.ErrReader(want)); !errors.Is(err, want) {
		t.Error(err)
	}
}

func TestAppendIsTheFixture(t *testing.T) {
	v6 := netip.MustParseAddrPort("[2001:db8::1]:1935")
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendV1(nil, src4, dst4), fixtures[0].wire},
		{AppendV1(nil, src6, v6), fixtures[1].wire},
		{AppendV1(nil, netip.AddrPort{}, dst4), fixtures[2].wire},
		{AppendV1(nil, netip.MustParseAddrPort("[::ffff:192.0.2.7]:40001"), dst4), fixtures[0].wire},
		{AppendV2(nil, src4, dst4), fixtures[4].wire},
		{AppendV2(nil, src6, v6), fixtures[6].wire},
		{AppendV2(nil, netip.AddrPort{}, dst4), fixtures[7].wire},
		{AppendSRS(nil, src4), "\xf3\x00\x04\xc0\x00\x02\x07"},
		{AppendSRS(nil, src6), ""},
		{AppendSRS(nil, netip.AddrPort{}), ""},
	} {
		if string(c.got) != c.want {
			t.Errorf("got  %q\nwant %q", c.got, c.want)
		}
	}
}

// Addresses of two families are told in the larger one, and are read again as
// what they were.
func TestMixedFamilies(t *testing.T) {
	for _, wire := range [][]byte{AppendV1(nil, src6, dst4), AppendV2(nil, src6, dst4)} {
		if h, err := Read(bytes.NewReader(wire)); err != nil || h.Source != src6 || h.Destination != dst4 {
			t.Errorf("%q: %+v %v", wire, h, err)
		}
	}
	for _, wire := range [][]byte{AppendV1(nil, src6, netip.AddrPort{}), AppendV2(nil, src6, netip.AddrPort{})} {
		if h, err := Read(bytes.NewReader(wire)); err != nil || h.Source != src6 || !h.Destination.Addr().IsUnspecified() {
			t.Errorf("%q: %+v %v", wire, h, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range fixtures {
		f.Add([]byte(c.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		h, err := Read(r)
		if taken := len(b) - r.Len(); taken > fixedV2+maxV2 {
			t.Fatalf("took %d bytes", taken)
		}
		if err != nil || !h.Source.IsValid() {
			return
		}
		for _, wire := range [][]byte{AppendV1(nil, h.Source, h.Destination), AppendV2(nil, h.Source, h.Destination)} {
			if again, err := Read(bytes.NewReader(wire)); err != nil || again != h {
				t.Fatalf("%+v became %+v, %v", h, again, err)
			}
		}
	})
}
