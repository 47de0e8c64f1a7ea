package play

import (
	"bytes"
	"testing"

	"weir/flv"
	"weir/internal/media/live"
)

// A player that is promised a track waits for it.
func TestFLVHeaderAnnouncesWhatThereIs(t *testing.T) {
	for _, c := range []struct {
		what         string
		info         live.Info
		audio, video bool
	}{
		{"both, by their headers", live.Info{Tracks: []live.Track{{Video: true}, {}}, LastAudio: -1, LastVideo: -1}, true, true},
		{"sound alone", live.Info{Tracks: []live.Track{{}}, LastAudio: 40, LastVideo: -1}, true, false},
		{"pictures alone", live.Info{Tracks: []live.Track{{Video: true}}, LastAudio: -1, LastVideo: 40}, false, true},
		{"sound without a header beside pictures", live.Info{Tracks: []live.Track{{Video: true}}, LastAudio: 0, LastVideo: 0}, true, true},
		{"nothing known", live.Info{LastAudio: -1, LastVideo: -1}, true, true},
	} {
		if got, want := fileHeader(c.info), flv.AppendHeader(nil, c.audio, c.video); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.what, got, want)
		}
	}
}
