package flv

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func checkTracks(t *testing.T, tracks []Track, count int, first uint8, want string, video bool) {
	t.Helper()
	var got []string
	for _, x := range tracks {
		s := fmt.Sprintf("%d:%v:", x.ID, x.FourCC)
		if video {
			s += fmt.Sprintf("%d:", x.CompositionTime)
		}
		got = append(got, s+hex.EncodeToString(x.Body))
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("tracks %q, want %q", s, want)
	}
	if len(tracks) != count || tracks[0].ID != first {
		t.Errorf("%d tracks from %d, want %d from %d", len(tracks), tracks[0].ID, count, first)
	}
}

func audioFlags(a AudioInfo) string {
	return flags(map[string]bool{
		"header": a.SequenceHeader, "end": a.SequenceEnd, "channels": a.MultichannelConfig,
		"ex": a.Enhanced, "multi": a.Multitrack, "opaque": a.Opaque,
	})
}

const (
	hexOpus = "4f707573"
	hexFLAC = "664c6143"
	hexAC3  = "61632d33"
	hexAAC  = "6d703461"
)

func TestParseAudio(t *testing.T) {
	for _, c := range []struct {
		name   string
		hex    string
		fourCC FourCC
		flags  string
		nano   uint32
		body   int
		rate   int
		ch     int
		tracks string
	}{
		{"AAC sequence header", "af 00 1210", AAC, "header", 0, 2, 44100, 2, "0:mp4a:1210"},
		{"AAC frame", "af 01 ff", AAC, "", 0, 2, 44100, 2, "0:mp4a:ff"},
		{"AAC reserved", "af 02 ff", AAC, "opaque", 0, 2, 44100, 2, "0:mp4a:ff"},
		{"MP3", "2f ff", MP3, "", 0, 1, 44100, 2, "0:.mp3:ff"},
		{"MP3 at 8 kHz", "e2 ff", MP3, "", 0, 1, 8000, 1, "0:.mp3:ff"},
		{"PCM, 5.5 kHz, 8 bit, mono", "30 ff", 0, "", 0, 1, 5512, 1, "0::ff"},
		{"Speex", "b6 ff", 0, "", 0, 1, 16000, 1, "0::ff"},
		{"Nellymoser at 8 kHz", "52 ff", 0, "", 0, 1, 8000, 1, "0::ff"},
		{"G.711", "72 ff", 0, "", 0, 1, 8000, 1, "0::ff"},
		{"no samples", "2f", MP3, "", 0, 1, 44100, 2, "0:.mp3:"},

		{"Opus sequence start", "90" + hexOpus + "4f", Opus, "ex header", 0, 5, 0, 0, "0:Opus:4f"},
		{"Opus sequence start without a body", "90" + hexOpus, Opus, "ex header", 0, 5, 0, 0, "0:Opus:"},
		{"Opus frame", "91" + hexOpus + "ff", Opus, "ex", 0, 5, 0, 0, "0:Opus:ff"},
		{"FLAC frame", "91" + hexFLAC + "ff", FLAC, "ex", 0, 5, 0, 0, "0:fLaC:ff"},
		{"AC-3 end", "92" + hexAC3, AC3, "end ex", 0, 5, 0, 0, "0:ac-3:"},
		{"channel layout", "94" + hexAC3 + "0106", AC3, "channels ex", 0, 5, 0, 0, "0:ac-3:0106"},
		{"enhanced AAC sequence start", "90" + hexAAC + "1210", AAC, "ex header", 0, 5, 0, 0, "0:mp4a:1210"},
		{"unknown FourCC", "91" + hexNone + "ff", ParseFourCC("zzzz"), "ex", 0, 5, 0, 0, "0:zzzz:ff"},
		{"reserved packet type", "93" + hexOpus + "ff", Opus, "ex opaque", 0, 5, 0, 0, "0:Opus:ff"},

		{"one track", "95 01" + hexOpus + "07 ff", Opus, "ex multi", 0, 7, 0, 0, "7:Opus:ff"},
		{"many tracks", "95 10" + hexAAC + "00 000002 1210 01 000002 1190", AAC, "ex header multi", 0, 10, 0, 0, "0:mp4a:1210 1:mp4a:1190"},
		{"many codecs", "95 21" + hexAAC + "00 000001 aa" + hexOpus + "01 000001 bb", AAC, "ex multi", 0, 10, 0, 0, "0:mp4a:aa 1:Opus:bb"},
		{"reserved layout", "95 f1 ff", 0, "ex multi opaque", 0, 2, 0, 0, "0::ff"},
		{"ModEx nanoseconds", "97 02 000005 01" + hexOpus + "ff", Opus, "ex", 5, 10, 0, 0, "0:Opus:ff"},
		{"ModEx before multitrack", "97 02 000005 05 01" + hexOpus + "07 ff", Opus, "ex multi", 5, 12, 0, 0, "7:Opus:ff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := unhex(t, c.hex)
			a, err := ParseAudio(p)
			if err != nil {
				t.Fatal(err)
			}
			if a.FourCC != c.fourCC || audioFlags(a) != c.flags || a.NanoOffset != c.nano || a.BodyOffset != c.body || a.SampleRate != c.rate || a.Channels != c.ch {
				t.Errorf("got %+v", a)
			}
			checkTracks(t, slices.Collect(a.Tracks(p)), a.TrackCount, a.TrackID, c.tracks, false)
		})
	}
}

func TestParseAudioErrors(t *testing.T) {
	for _, c := range []struct{ name, hex, reason string }{
		{"empty", "", ReasonEmpty},
		{"AAC alone", "af", ReasonTruncated},
		{"enhanced alone", "91", ReasonTruncated},
		{"three bytes of a FourCC", "91 4f7075", ReasonTruncated},
		{"ModEx alone", "97", ReasonTruncated},
		{"multitrack alone", "95", ReasonTruncated},
		{"multitrack without a track", "95 11" + hexOpus, ReasonTruncated},
		{"track longer than the message", "95 11" + hexOpus + "00 ffffff", ReasonTruncated},
		{"multitrack within multitrack", "95 15" + hexOpus, ReasonMultitrack},
	} {
		p := unhex(t, c.hex)
		a, err := ParseAudio(p)
		var e *Error
		if !errors.As(err, &e) || e.Reason != c.reason || e.Unit != "audio" {
			t.Errorf("%s: got %v, want %s", c.name, err, c.reason)
		}
		if a.SequenceHeader || a.BodyOffset != len(p) {
			t.Errorf("%s: info of an error must promise nothing: %+v", c.name, a)
		}
	}
}
