package interop_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// source is a media file and what a decoder makes of it.
type source struct {
	codec    string // of the video, or "opus"
	path     string
	enhanced bool // needs enhanced RTMP
	decoder  string
	frames   decoded
}

// sourceSeconds is long enough for a publisher to start, for all players to join
// one after the other on a busy machine, and for each to get the ten seconds that
// the longest comparison wants.
const sourceSeconds = 30

// The sources have one key frame a second, and a picture and sound that never
// repeat, so that a place in the stream is known by its hash.
var (
	// B-frames make decoding and presentation time differ.
	h264Source = newSource("h264.flv", false, append(x264(30), "-bf", "2")...)
	// GStreamer's flvmux gives the first pictures one decoding time when there are
	// B-frames, so what it publishes has none.
	plainSource = newSource("plain.flv", false, append(x264(30), "-bf", "0")...)
	// A key frame every four seconds: most joins are in mid-GOP.
	longGOPSource = newSource("longgop.flv", false, append(x264(120), "-bf", "2")...)
	hevcSource    = newSource("hevc.mkv", true, "-c:v", "libx265", "-preset", "ultrafast", "-b:v", "500k",
		"-x265-params", "keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=0:log-level=none")
	av1Source = newSource("av1.mkv", true, "-c:v", "libsvtav1", "-preset", "12", "-crf", "45", "-g", "30",
		"-svtav1-params", "pred-struct=1")
)

func x264(gop int) []string {
	n := strconv.Itoa(gop)
	return []string{"-c:v", "libx264", "-preset", "veryfast", "-b:v", "500k", "-g", n, "-keyint_min", n, "-sc_threshold", "0"}
}

// aac is the audio of all of them. Noise substitution is off: its decoder's noise
// depends on all that came before, so that a viewer who joined later would hear
// other samples.
var aac = []string{"-c:a", "aac", "-ar", "44100", "-ac", "2", "-b:a", "96k", "-aac_pns", "0"}

// newSource returns a maker that makes the file at the first call.
func newSource(file string, enhanced bool, encode ...string) func(*testing.T) *source {
	var once sync.Once
	var s *source
	var failure error
	return func(t *testing.T) *source {
		t.Helper()
		ffmpeg := tool(t, "ffmpeg")
		if enhanced {
			ffmpeg = ffmpeg7(t)
		}
		once.Do(func() {
			s = &source{codec: file[:len(file)-len(filepath.Ext(file))], path: filepath.Join(work, file), enhanced: enhanced, decoder: ffmpeg}
			argv := append([]string{ffmpeg, "-v", "error", "-nostdin", "-y",
				"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=320x180:rate=30:duration=%d", sourceSeconds),
				// A sweep, so that no two AAC frames are alike.
				"-f", "lavfi", "-i", fmt.Sprintf("aevalsrc='0.2*sin(2*PI*(200+20*t)*t)|0.2*sin(2*PI*(300+31*t)*t)':s=44100:d=%d", sourceSeconds),
				"-pix_fmt", "yuv420p"}, append(encode, aac...)...)
			if _, failure = execute(append(argv, s.path)...); failure != nil {
				return
			}
			s.frames, failure = decodeFile(ffmpeg, s.path)
		})
		if failure != nil {
			t.Fatal(failure)
		}
		return s
	}
}
