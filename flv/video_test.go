package flv

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flags writes the booleans of an info as a word each.
func flags(words map[string]bool) string {
	var s []string
	for w, on := range words {
		if on {
			s = append(s, w)
		}
	}
	slices.Sort(s)
	return strings.Join(s, " ")
}

func videoFlags(v VideoInfo) string {
	return flags(map[string]bool{
		"key": v.Keyframe, "header": v.SequenceHeader, "end": v.SequenceEnd, "meta": v.Metadata,
		"command": v.Command, "ex": v.Enhanced, "multi": v.Multitrack, "opaque": v.Opaque,
	})
}

const (
	hexAVC  = "61766331"
	hexHEVC = "68766331"
	hexAV1  = "61763031"
	hexVP9  = "76703039"
	hexVP8  = "76703038"
	hexNone = "7a7a7a7a" // a FourCC that nobody knows
)

func TestParseVideo(t *testing.T) {
	for _, c := range []struct {
		name   string
		hex    string
		fourCC FourCC
		flags  string
		cts    int32
		nano   uint32
		body   int
		tracks string // id:fourCC:cts:body, …
	}{
		{"AVC sequence header", "17 00 000000 01", AVC, "header", 0, 0, 5, "0:avc1:0:01"},
		{"AVC key frame", "17 01 000050 ff", AVC, "key", 80, 0, 5, "0:avc1:80:ff"},
		{"AVC key frame without a picture", "17 01 000000", AVC, "", 0, 0, 5, "0:avc1:0:"},
		{"AVC inter frame, negative composition time", "27 01 fffffe ff", AVC, "", -2, 0, 5, "0:avc1:-2:ff"},
		{"AVC end of sequence", "17 02 000000", AVC, "end", 0, 0, 5, "0:avc1:0:"},
		{"AVC end of sequence, short", "17 02", AVC, "end", 0, 0, 2, "0:avc1:0:"},
		{"AVC reserved packet type", "17 03 000000 ff", AVC, "opaque", 0, 0, 2, "0:avc1:0:000000ff"},
		{"generated key frame", "47 01 000000 ff", AVC, "key", 0, 0, 5, "0:avc1:0:ff"},
		{"legacy HEVC sequence header", "1c 00 000000 01", HEVC, "header", 0, 0, 5, "0:hvc1:0:01"},
		{"legacy HEVC key frame", "1c 01 000000 ff", HEVC, "key", 0, 0, 5, "0:hvc1:0:ff"},
		{"legacy AV1 key frame", "1d 01 000000 ff", AV1, "key", 0, 0, 5, "0:av01:0:ff"},
		{"legacy command", "57 00", 0, "command", 0, 0, 1, "0::0:00"},
		{"legacy command of a codec without packet types", "52 01", 0, "command", 0, 0, 1, "0::0:01"},
		{"H.263 key frame", "12 ff", 0, "key", 0, 0, 1, "0::0:ff"},
		{"H.263 disposable frame", "32 ff", 0, "", 0, 0, 1, "0::0:ff"},
		{"VP6 key frame", "14 ff", 0, "key", 0, 0, 1, "0::0:ff"},
		{"an unknown legacy codec", "1f ff", 0, "key", 0, 0, 1, "0::0:ff"},

		{"HEVC sequence start", "90" + hexHEVC + "01", HEVC, "ex header", 0, 0, 5, "0:hvc1:0:01"},
		{"HEVC key frame", "91" + hexHEVC + "000021 ff", HEVC, "ex key", 33, 0, 8, "0:hvc1:33:ff"},
		{"HEVC inter frame", "a1" + hexHEVC + "ffffff ff", HEVC, "ex", -1, 0, 8, "0:hvc1:-1:ff"},
		{"HEVC key frame X", "93" + hexHEVC + "ff", HEVC, "ex key", 0, 0, 5, "0:hvc1:0:ff"},
		{"HEVC end", "92" + hexHEVC, HEVC, "end ex", 0, 0, 5, "0:hvc1:0:"},
		{"HEVC colour", "94" + hexHEVC + "02", HEVC, "ex meta", 0, 0, 5, "0:hvc1:0:02"},
		{"colour in a command frame", "d4" + hexHEVC + "02", HEVC, "ex meta", 0, 0, 5, "0:hvc1:0:02"},
		{"enhanced AVC key frame", "91" + hexAVC + "000001 ff", AVC, "ex key", 1, 0, 8, "0:avc1:1:ff"},
		{"AV1 sequence start", "90" + hexAV1 + "81", AV1, "ex header", 0, 0, 5, "0:av01:0:81"},
		{"AV1 as in MPEG-2 TS", "95" + hexAV1 + "80", AV1, "ex header", 0, 0, 5, "0:av01:0:80"},
		{"AV1 key frame", "91" + hexAV1 + "000021 ff", AV1, "ex key", 0, 0, 5, "0:av01:0:000021ff"},
		{"VP9 key frame", "91" + hexVP9 + "ff", VP9, "ex key", 0, 0, 5, "0:vp09:0:ff"},
		{"VP8 key frame", "91" + hexVP8 + "ff", VP8, "ex key", 0, 0, 5, "0:vp08:0:ff"},
		{"VP8 inter frame", "a1" + hexVP8 + "ff", VP8, "ex", 0, 0, 5, "0:vp08:0:ff"},
		{"unknown FourCC key frame", "91" + hexNone + "ff", ParseFourCC("zzzz"), "ex key", 0, 0, 5, "0:zzzz:0:ff"},
		{"unknown FourCC sequence start", "90" + hexNone + "ff", ParseFourCC("zzzz"), "ex header", 0, 0, 5, "0:zzzz:0:ff"},
		{"command", "d0 01", 0, "command ex", 0, 0, 1, "0::0:01"},
		{"reserved packet type", "98" + hexHEVC + "ff", HEVC, "ex opaque", 0, 0, 5, "0:hvc1:0:ff"},

		{"one track", "96 01" + hexHEVC + "05 000021 ff", HEVC, "ex key multi", 33, 0, 10, "5:hvc1:33:ff"},
		{"one track, sequence start", "96 00" + hexAV1 + "02 81", AV1, "ex header multi", 0, 0, 7, "2:av01:0:81"},
		{"many tracks", "96 11" + hexAVC + "00 000004 000010 aa 01 000005 000020 bbbb", AVC, "ex key multi", 16, 0, 13,
			"0:avc1:16:aa 1:avc1:32:bbbb"},
		{"many tracks, X", "96 13" + hexHEVC + "00 000001 aa 03 000002 bbbb", HEVC, "ex key multi", 0, 0, 10,
			"0:hvc1:0:aa 3:hvc1:0:bbbb"},
		{"many tracks, sequence start", "96 10" + hexHEVC + "00 000001 aa 01 000001 bb", HEVC, "ex header multi", 0, 0, 10,
			"0:hvc1:0:aa 1:hvc1:0:bb"},
		{"many tracks, inter frame", "a6 11" + hexVP9 + "00 000001 aa", VP9, "ex multi", 0, 0, 10, "0:vp09:0:aa"},
		{"many codecs", "96 21" + hexAV1 + "00 000001 aa" + hexHEVC + "01 000004 000007 bb", AV1, "ex key multi", 0, 0, 10,
			"0:av01:0:aa 1:hvc1:7:bb"},
		{"many codecs, the first empty", "96 23" + hexAV1 + "00 000000" + hexHEVC + "01 000001 bb", AV1, "ex key multi", 0, 0, 10,
			"0:av01:0: 1:hvc1:0:bb"},
		{"reserved layout", "96 31 ffff", 0, "ex multi opaque", 0, 0, 2, "0::0:ffff"},
		{"ModEx within multitrack", "96 17" + hexAVC + "ff", AVC, "ex multi opaque", 0, 0, 6, "0:avc1:0:ff"},

		{"ModEx nanoseconds", "97 02 0f423f 01" + hexHEVC + "000001 ff", HEVC, "ex key", 1, 999_999, 13, "0:hvc1:1:ff"},
		{"ModEx nanoseconds beyond a millisecond", "97 02 0f4240 01" + hexHEVC + "000001 ff", HEVC, "ex key", 1, 0, 13, "0:hvc1:1:ff"},
		{"ModEx nanoseconds, too short", "97 01 ffff 03" + hexHEVC + "ff", HEVC, "ex key", 0, 0, 9, "0:hvc1:0:ff"},
		{"ModEx unknown, then nanoseconds", "97 00 aa 17 02 000005 03" + hexHEVC + "ff", HEVC, "ex key", 0, 5, 13, "0:hvc1:0:ff"},
		{"ModEx of 256 bytes", "97 ff 00ff" + strings.Repeat("00", 256) + "13" + hexAV1 + "ff", AV1, "ex key", 0, 0, 265, "0:av01:0:ff"},
		{"ModEx before multitrack", "97 02 000007 06 13" + hexHEVC + "00 000001 aa", HEVC, "ex key multi", 0, 7, 15, "0:hvc1:0:aa"},
		{"ModEx before a command", "d7 02 000007 00 01", 0, "command ex", 0, 7, 6, "0::0:01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := unhex(t, c.hex)
			v, err := ParseVideo(p)
			if err != nil {
				t.Fatal(err)
			}
			if v.FourCC != c.fourCC || videoFlags(v) != c.flags || v.CompositionTime != c.cts || v.NanoOffset != c.nano || v.BodyOffset != c.body {
				t.Errorf("got %v %q cts %d nano %d body %d, want %v %q %d %d %d", v.FourCC, videoFlags(v), v.CompositionTime, v.NanoOffset, v.BodyOffset,
					c.fourCC, c.flags, c.cts, c.nano, c.body)
			}
			checkTracks(t, slices.Collect(v.Tracks(p)), v.TrackCount, v.TrackID, c.tracks, true)
		})
	}
}

func TestParseVideoErrors(t *testing.T) {
	for _, c := range []struct{ name, hex, reason string }{
		{"empty", "", ReasonEmpty},
		{"AVC alone", "17", ReasonTruncated},
		{"AVC without composition time", "17 01 0000", ReasonTruncated},
		{"enhanced alone", "91", ReasonTruncated},
		{"three bytes of a FourCC", "91 687663", ReasonTruncated},
		{"HEVC without composition time", "91" + hexHEVC + "0000", ReasonTruncated},
		{"command without a command", "d0", ReasonTruncated},
		{"ModEx alone", "97", ReasonTruncated},
		{"ModEx cut in its data", "97 05 0000", ReasonTruncated},
		{"ModEx without a next type", "97 00 00", ReasonTruncated},
		{"ModEx of 256 bytes cut in its size", "97 ff 00", ReasonTruncated},
		{"ModEx of 65,536 bytes cut", "97 ff ffff 00", ReasonTruncated},
		{"multitrack alone", "96", ReasonTruncated},
		{"multitrack without a FourCC", "96 01 6876", ReasonTruncated},
		{"multitrack without a track", "96 11" + hexAVC, ReasonTruncated},
		{"one track without an id", "96 01" + hexAVC, ReasonTruncated},
		{"track longer than the message", "96 13" + hexAVC + "00 ffffff aa", ReasonTruncated},
		{"second track cut", "96 13" + hexAVC + "00 000001 aa 01 0000", ReasonTruncated},
		{"track too short for its composition time", "96 11" + hexAVC + "00 000002 aabb", ReasonTruncated},
		{"multitrack within multitrack", "96 16" + hexAVC + "00", ReasonMultitrack},
		{"too many tracks", "96 13" + hexAVC + strings.Repeat("00 000000", MaxTracks+1), ReasonMultitrack},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := unhex(t, c.hex)
			v, err := ParseVideo(p)
			var e *Error
			if !errors.As(err, &e) || e.Reason != c.reason || e.Unit != "video" {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			if v.Keyframe || v.SequenceHeader || v.BodyOffset != len(p) {
				t.Errorf("info of an error must promise nothing: %+v", v)
			}
		})
	}
}

func TestFourCC(t *testing.T) {
	if AVC.String() != "avc1" || ParseFourCC("Opus") != Opus || uint32(Opus) != 1332770163 || ParseFourCC("av1") != 0 {
		t.Error("FourCC is big endian: 'Opus' is 1332770163")
	}
	if s := FourCC(0x00416200 | 0x3C).String(); s != "?Ab<" {
		t.Errorf("%q", s)
	}
	if FourCC(0).String() != "" || FourCC(0).Known() || !EAC3.Known() {
		t.Error("the zero FourCC is unknown")
	}
}
