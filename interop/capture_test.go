package interop_test

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var captureTo = flag.String("capture", "", "directory to write captures of real clients to (see scripts/capture-seeds.sh)")

// A capture is bounded. The start of a session holds the handshake, all commands
// and the first media; more of it is more of the same. What a server sends is one
// program's in all of them, so less of it will do.
const (
	captureSize = 64 << 10 // bytes of a client
	answerSize  = 16 << 10 // bytes of the server
)

// session is more than the handshake and less than what follows it before media.
const session = 3300 // bytes

// captures are the sessions kept as fuzz seeds. Each runs a client against
// nginx-rtmp through a recording proxy.
var captures = []struct {
	name           string
	client, server int // bytes that must have been seen each way
	run            func(t *testing.T, g target)
}{
	{"ffmpeg-publish", captureSize, session, func(t *testing.T, g target) { publishFFmpeg(t, h264Source(t), g) }},
	{"ffmpeg-play", session, answerSize, playPublished(playFFmpeg)},
	{"librtmp-play", session, answerSize, playPublished(playRTMPDump)},
	{"gstreamer-publish", captureSize, session, func(t *testing.T, g target) { publishGStreamer(t, plainSource(t), g) }},
	{"gstreamer-play", session, answerSize, playPublished(playGStreamer)},
	{"nginx-push", captureSize, session, func(t *testing.T, g target) { publishNginxPush(t, h264Source(t), g) }},
	{"nginx-pull", session, answerSize, playPublished(playNginxPull)},
	{"ffmpeg7-hevc-publish", captureSize, session, func(t *testing.T, g target) { publishFFmpeg7("hvc1")(t, hevcSource(t), g) }},
	{"ffmpeg7-av1-publish", captureSize, session, func(t *testing.T, g target) { publishFFmpeg7("av01")(t, av1Source(t), g) }},
}

// playPublished plays a stream that ffmpeg publishes beside the proxy.
func playPublished(play func(*testing.T, *source, target, int) *playing) func(*testing.T, target) {
	return func(t *testing.T, g target) {
		direct := g
		direct.rtmp = g.rtmps // where the proxy leads to
		publishFFmpeg(t, h264Source(t), direct)
		play(t, h264Source(t), g, 3)
	}
}

// TestCaptures writes the captures when asked to, and otherwise checks that those
// that are committed are whole: one of each client and each way, in size.
func TestCaptures(t *testing.T) {
	dir := *captureTo
	if dir == "" {
		dir = "../rtmp/testdata/captures"
		for _, c := range captures {
			for _, way := range []string{"client", "server"} {
				checkCapture(t, filepath.Join(dir, c.name+"."+way+".bin"))
			}
		}
		return
	}
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			nginx := startNginx(t, "", "live")
			r := startRecorder(t, nginx)
			// The recorder's other side is not TLS; the field only carries the address.
			c.run(t, target{rtmp: r.addr, rtmps: nginx, app: "live", name: "capture"})
			eventually(t, "enough recorded", func() error {
				if n := r.client.len(); n < c.client || r.server.len() < c.server {
					return fmt.Errorf("%d bytes of the client, %d of the server", n, r.server.len())
				}
				return nil
			})
			for way, b := range map[string]*head{"client": &r.client, "server": &r.server} {
				path := filepath.Join(dir, c.name+"."+way+".bin")
				if err := os.WriteFile(path, b.bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				checkCapture(t, path)
			}
		})
	}
}

func checkCapture(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v: make it with scripts/capture-seeds.sh", err)
		return
	}
	// C0 C1 C2 (or S0 S1 S2), then at least a command.
	if len(b) < 1+2*1536+100 || len(b) > captureSize || b[0] != 3 {
		t.Errorf("%s: %d bytes, no session", path, len(b))
	}
}

// recorder passes TCP connections on to one address and keeps the first bytes of
// the first connection, each way.
type recorder struct {
	addr           string
	client, server head
}

func startRecorder(t *testing.T, to string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &recorder{addr: l.Addr().String(), client: head{max: captureSize}, server: head{max: answerSize}}
	go func() {
		for first := true; ; first = false {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				return
			}
			c, s := io.Discard, io.Discard
			if first {
				c, s = &r.client, &r.server
			}
			go pass(out, in, c)
			go pass(in, out, s)
		}
	}()
	return r
}

func pass(dst, src net.Conn, copyTo io.Writer) {
	_, _ = io.Copy(io.MultiWriter(copyTo, dst), src)
	dst.Close()
	src.Close()
}

// head keeps the first max bytes written to it.
type head struct {
	max int
	mu  sync.Mutex
	b   []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.b = append(h.b, p[:min(len(p), h.max-len(h.b))]...)
	return len(p), nil
}

func (h *head) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.b)
}

func (h *head) bytes() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]byte(nil), h.b...)
}
