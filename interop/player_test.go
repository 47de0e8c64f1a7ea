package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// player receives a stream with some program.
type player struct {
	name string
	// enhanced players carry FourCC codecs, the others stop at H.264 and AAC.
	enhanced bool
	play     func(t *testing.T, s *source, g target, seconds int) *playing
}

// playing is a player at work. It leaves a file: either the hashes of what it has
// decoded itself, or the FLV file that it has recorded.
type playing struct {
	*process
	player  string
	source  *source
	seconds int
	hashes  string // path, or ""
	record  string // path, or ""
	video   bool   // only pictures can be compared
}

// players are all players of the matrix.
var players = []player{
	{"ffmpeg", true, playFFmpeg},
	{"ffmpeg-rtmps", true, playFFmpegTLS},
	{"rtmpdump", true, playRTMPDump},
	{"gstreamer", true, playGStreamer},
	{"nginx-pull", false, playNginxPull},
	{"mpv", false, playMPV},
}

// start starts the player.
func (pl player) start(t *testing.T, s *source, g target, seconds int) *playing {
	p := pl.play(t, s, g, seconds)
	p.player = pl.name
	return p
}

func ffmpegPlayer(t *testing.T, s *source, url string, seconds int, input ...string) *playing {
	out := filepath.Join(t.TempDir(), "out.framemd5")
	argv := append([]string{s.decoder, "-v", "warning", "-nostdin"}, input...)
	argv = append(argv, "-i", url, "-t", strconv.Itoa(seconds))
	argv = append(argv, framemd5Args(out)...)
	return &playing{process: start(t, "play "+url, argv...), source: s, seconds: seconds, hashes: out}
}

func playFFmpeg(t *testing.T, s *source, g target, seconds int) *playing {
	return ffmpegPlayer(t, s, g.url(), seconds)
}

func playFFmpegTLS(t *testing.T, s *source, g target, seconds int) *playing {
	return ffmpegPlayer(t, s, g.tlsURL(), seconds, "-tls_verify", "0")
}

func playRTMPDump(t *testing.T, s *source, g target, seconds int) *playing {
	out := filepath.Join(t.TempDir(), "out.flv")
	p := start(t, "rtmpdump", tool(t, "rtmpdump"), "-q", "-v", "-r", g.url(), "-o", out)
	return &playing{process: p, source: s, seconds: seconds, record: out}
}

func playGStreamer(t *testing.T, s *source, g target, seconds int) *playing {
	out := filepath.Join(t.TempDir(), "out.flv")
	p := start(t, "gst rtmp2src", tool(t, "gst-launch-1.0"), "-e", "rtmp2src", "location="+g.url(), "!",
		"filesink", "buffer-mode=unbuffered", "location="+out)
	return &playing{process: p, source: s, seconds: seconds, record: out}
}

// playNginxPull has nginx pull the stream and ffmpeg play it from nginx.
func playNginxPull(t *testing.T, s *source, g target, seconds int) *playing {
	at := startNginx(t, fmt.Sprintf("pull rtmp://%s/%s;", g.rtmp, g.app), g.app)
	return ffmpegPlayer(t, s, target{rtmp: at, app: g.app, name: g.name}.url(), seconds)
}

// playMPV decodes in mpv. Its audio comes in blocks of another size than ffmpeg's,
// so only the pictures can be compared.
func playMPV(t *testing.T, s *source, g target, seconds int) *playing {
	out := filepath.Join(t.TempDir(), "out.framemd5")
	p := start(t, "mpv", tool(t, "mpv"), "--no-config", "--msg-level=all=warn", "--o="+out, "--of=framemd5",
		"--ovc=rawvideo", "--oac=pcm_s16le", "--length="+strconv.Itoa(seconds), g.url())
	return &playing{process: p, source: s, seconds: seconds, hashes: out, video: true}
}

// finish waits until the player has its seconds, ends it, and checks that what it
// decoded is what was sent.
func (p *playing) finish(t *testing.T) {
	t.Helper()
	if p.record != "" {
		eventually(t, p.name+" has recorded enough", func() error {
			tags, _, err := readTags(p.record)
			if err == nil && span(tags) < float64(p.seconds)*1000 {
				err = fmt.Errorf("%.0f ms in %d tags", span(tags), len(tags))
				if gone := p.running(); gone != nil {
					t.Fatal(gone)
				}
			}
			return err
		})
		p.stop(syscall.SIGINT)
		p.recorded(t)
		return
	}
	if err := p.wait(time.Duration(p.seconds)*time.Second + patience); err != nil {
		t.Fatal(err)
	}
	got, err := readFrameMD5(p.hashes)
	if err != nil {
		t.Fatal(err)
	}
	p.compare(t, got)
}

// recorded decodes the FLV file of a player that has ended.
func (p *playing) recorded(t *testing.T) {
	t.Helper()
	tags, whole, err := readTags(p.record)
	if err != nil {
		t.Fatal(err)
	}
	if err := ordered(tags); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	if err := os.Truncate(p.record, whole); err != nil {
		t.Fatal(err)
	}
	got, err := decodeFile(p.source.decoder, p.record)
	if err != nil {
		t.Fatal(err)
	}
	p.compare(t, got)
}

func (p *playing) compare(t *testing.T, got decoded) {
	t.Helper()
	// The first picture of a source with B-frames is shown two pictures late, and
	// the tail is not looked at.
	ms := float64(p.seconds)*1000 - 300
	err := error(nil)
	if p.video {
		if len(got.audio) == 0 {
			t.Errorf("%s: no audio", p.name)
		}
		_, err = part(got.video, p.source.frames.video, 0, videoTail, ms)
	} else {
		err = identical(got, p.source.frames, ms)
	}
	if err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
}
