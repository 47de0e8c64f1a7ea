package interop_test

import (
	"fmt"
	"testing"
)

// publisher sends a source with some program, in real time.
type publisher struct {
	name    string
	source  func(*testing.T) *source
	publish func(t *testing.T, s *source, g target) *process
}

// publishers are all publishers of the matrix that are programs.
var publishers = []publisher{
	{"ffmpeg", h264Source, publishFFmpeg},
	{"ffmpeg-rtmps", h264Source, publishFFmpegTLS},
	{"gstreamer", plainSource, publishGStreamer},
	{"nginx-push", h264Source, publishNginxPush},
	{"ffmpeg7-hevc", hevcSource, publishFFmpeg7("hvc1")},
	{"ffmpeg7-av1", av1Source, publishFFmpeg7("av01")},
}

func publishFFmpeg(t *testing.T, s *source, g target) *process {
	return start(t, "publish "+g.url(), tool(t, "ffmpeg"), "-v", "warning", "-nostdin", "-re", "-i", s.path, "-c", "copy", "-f", "flv", g.url())
}

func publishFFmpegTLS(t *testing.T, s *source, g target) *process {
	return start(t, "publish "+g.tlsURL(), tool(t, "ffmpeg"), "-v", "warning", "-nostdin", "-re", "-i", s.path, "-c", "copy", "-f", "flv",
		"-tls_verify", "0", g.tlsURL())
}

func publishFFmpeg7(fourCC string) func(*testing.T, *source, target) *process {
	return func(t *testing.T, s *source, g target) *process {
		return start(t, "publish "+g.url(), ffmpeg7(t), "-v", "warning", "-nostdin", "-re", "-i", s.path, "-c", "copy", "-f", "flv",
			"-rtmp_enhanced_codecs", fourCC, g.url())
	}
}

func publishGStreamer(t *testing.T, s *source, g target) *process {
	return start(t, "gst rtmp2sink", tool(t, "gst-launch-1.0"),
		"filesrc", "location="+s.path, "!", "flvdemux", "name=d",
		"flvmux", "name=m", "streamable=true", "!", "rtmp2sink", "location="+g.url(), "sync=true",
		"d.video", "!", "queue", "!", "h264parse", "!", "m.",
		"d.audio", "!", "queue", "!", "aacparse", "!", "m.")
}

// publishNginxPush has ffmpeg publish to nginx, which pushes to the target.
func publishNginxPush(t *testing.T, s *source, g target) *process {
	at := startNginx(t, fmt.Sprintf("push rtmp://%s/%s;", g.rtmp, g.app), g.app)
	return publishFFmpeg(t, s, target{rtmp: at, app: g.app, name: g.name})
}
