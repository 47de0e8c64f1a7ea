package flv

import (
	"errors"
	"testing"
)

// Configurations as x264, x265, libaom, libvpx and ffmpeg's aac wrote them for
// pictures of the stated size.
const (
	avcHigh66x38    = "0164000affe100196764000aacd9457e226c0440000003004000000503c489658001000668ebe3cb22c0fdf8f800"
	avcBase1080     = "0142c028ffe100196742c028da01e0089f97011000000300100000030140f1832a01000468ce0fc8"
	avcInterlaced   = "014d4028ffe10019674d4028f403c0227ef011000003000100000300141f162ea001000468de0fc8"
	hevcMain66x38   = "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e959809a10001002a42010101600000030090000003000003001ea024829c9596566b932bc05a020000030002000003001410a2000100064401c173d189"
	hevcMain10      = "0102200000009000000000001ef000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003001e959809a10001002a42010102200000030090000003000003001ea024829c94d96566b932bc05a02000000300200000030141a2000100064401c173d189"
	av1Main66x38    = "81000c000a0a000000032c194daf9004"
	vp9Fullbox      = "01000000010a870202000000"
	vp9Record       = "010a870202000000"
	opusStereo      = "4f70757348656164 01 02 3801 80bb0000 0000 00"
	flacStereo44100 = "664c6143 80000022 1000 1000 000000 000000 0ac442f0 00000000 00000000000000000000000000000000"
)

func TestParseVideoConfig(t *testing.T) {
	for _, c := range []struct {
		name   string
		codec  FourCC
		hex    string
		want   VideoConfig
		reason string
	}{
		{"AVC high, cropped", AVC, avcHigh66x38, VideoConfig{"avc1.64000a", 66, 38}, ""},
		{"AVC baseline 1080p", AVC, avcBase1080, VideoConfig{"avc1.42c028", 1920, 1080}, ""},
		{"AVC interlaced 1080", AVC, avcInterlaced, VideoConfig{"avc1.4d4028", 1920, 1080}, ""},
		{"AVC without parameter sets", AVC, "0164001f ff e0", VideoConfig{"avc1.64001f", 0, 0}, ""},
		{"HEVC main", HEVC, hevcMain66x38, VideoConfig{"hvc1.1.6.L30.90", 66, 38}, ""},
		{"HEVC main 10", HEVC, hevcMain10, VideoConfig{"hvc1.2.4.L30.90", 66, 38}, ""},
		{"AV1 main", AV1, av1Main66x38, VideoConfig{"av01.0.00M.08", 66, 38}, ""},
		{"AV1 without a sequence header", AV1, "81000c00", VideoConfig{"av01.0.00M.08", 0, 0}, ""},
		{"VP9 as in MP4", VP9, vp9Fullbox, VideoConfig{"vp09.01.10.08", 0, 0}, ""},
		{"VP9", VP9, vp9Record, VideoConfig{"vp09.01.10.08", 0, 0}, ""},
		{"VP8 has none", VP8, "", VideoConfig{"vp08", 0, 0}, ""},
		{"unknown", ParseFourCC("zzzz"), "00", VideoConfig{"zzzz", 0, 0}, ""},
		{"empty AVC", AVC, "", VideoConfig{"avc1", 0, 0}, ReasonTruncated},
		{"empty HEVC", HEVC, "", VideoConfig{"hvc1", 0, 0}, ReasonTruncated},
		{"empty AV1", AV1, "", VideoConfig{"av01", 0, 0}, ReasonTruncated},
		{"empty VP9", VP9, "", VideoConfig{"vp09", 0, 0}, ReasonTruncated},
		{"AVC parameter set longer than the message", AVC, "0164001f ff e1 ffff 67", VideoConfig{"avc1.64001f", 0, 0}, ReasonTruncated},
		{"AVC parameter set of zeros", AVC, "0164001f ff e1 0008 6764001f00000000", VideoConfig{"avc1.64001f", 0, 0}, ReasonTruncated},
		{"AV1 unit longer than the message", AV1, "81000c00 0a7f", VideoConfig{"av01.0.00M.08", 0, 0}, ReasonTruncated},
		{"AV1 length without end", AV1, "81000c00 0affffffffffffffffff", VideoConfig{"av01.0.00M.08", 0, 0}, ReasonTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseVideoConfig(c.codec, unhex(t, c.hex))
			checkReason(t, err, c.reason)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestParseAudioConfig(t *testing.T) {
	for _, c := range []struct {
		name   string
		codec  FourCC
		hex    string
		want   AudioConfig
		reason string
	}{
		{"AAC-LC 44.1 kHz stereo", AAC, "1210", AudioConfig{"mp4a.40.2", 44100, 2}, ""},
		{"AAC-LC 48 kHz mono", AAC, "1188", AudioConfig{"mp4a.40.2", 48000, 1}, ""},
		{"AAC-LC 48 kHz 5.1", AAC, "11b0", AudioConfig{"mp4a.40.2", 48000, 6}, ""},
		{"AAC-LC with a program config element", AAC, "1180", AudioConfig{"mp4a.40.2", 48000, 0}, ""},
		{"HE-AAC 24 to 48 kHz", AAC, "2b118800", AudioConfig{"mp4a.40.5", 48000, 2}, ""},
		{"HE-AAC v2 mono to stereo", AAC, "eb098800", AudioConfig{"mp4a.40.29", 48000, 2}, ""},
		{"a stated rate", AAC, "17 80 5dc0 10", AudioConfig{"mp4a.40.2", 48000, 2}, ""},
		{"an escaped object type", AAC, "f946 40", AudioConfig{"mp4a.40.42", 48000, 2}, ""},
		{"Opus", Opus, opusStereo, AudioConfig{"opus", 48000, 2}, ""},
		{"Opus without a header", Opus, "", AudioConfig{"opus", 48000, 0}, ""},
		{"FLAC", FLAC, flacStereo44100, AudioConfig{"flac", 44100, 2}, ""},
		{"MP3", MP3, "", AudioConfig{"mp3", 0, 0}, ""},
		{"AC-3", AC3, "", AudioConfig{"ac-3", 0, 0}, ""},
		{"empty AAC", AAC, "", AudioConfig{"mp4a", 0, 0}, ReasonTruncated},
		{"AAC of one byte", AAC, "12", AudioConfig{"mp4a", 0, 0}, ReasonTruncated},
		{"AAC null object", AAC, "0210", AudioConfig{"mp4a.40.0", 44100, 2}, ReasonConfig},
		{"Opus cut", Opus, "4f707573", AudioConfig{"opus", 48000, 0}, ReasonTruncated},
		{"FLAC cut", FLAC, "664c6143", AudioConfig{"flac", 0, 0}, ReasonTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseAudioConfig(c.codec, unhex(t, c.hex))
			checkReason(t, err, c.reason)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func checkReason(t *testing.T, err error, reason string) {
	t.Helper()
	var e *Error
	if (reason == "") != (err == nil) || err != nil && (!errors.As(err, &e) || e.Reason != reason) {
		t.Fatalf("got %v, want %q", err, reason)
	}
}
