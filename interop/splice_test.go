package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/proctest"
)

// splicing starts a front whose sessions at one nginx-rtmp are spliced, publishers too.
func splicing(t *testing.T, backend string) *node {
	t.Helper()
	return startNode(t, nodeOptions{name: "front", roles: "front", config: fmt.Sprintf(
		"front:\n  publish: splice\n  backends:\n    servers:\n      - {name: ng, rtmp: \"%s\", kind: nginx-rtmp, load: {kind: none}}\n", backend)})
}

// lines returns the log's lines that say msg.
func (n *node) lines(msg string) (all []map[string]any) {
	for line := range bytes.Lines([]byte(n.log.String())) {
		l := map[string]any{}
		if json.Unmarshal(line, &l) == nil && l["msg"] == msg {
			all = append(all, l)
		}
	}
	return all
}

// noneCarried fails the test if a session could not be spliced.
func (n *node) noneCarried(t *testing.T) {
	t.Helper()
	for _, l := range n.lines("not spliced") {
		t.Errorf("not spliced: %v", l)
	}
}

// What players decode behind a front that splices is, frame for frame, what was
// published to nginx-rtmp, as it is for one that plays from nginx-rtmp itself.
func TestSplicedPlayersSeeWhatWasSent(t *testing.T) {
	s := h264Source(t)
	nginx := startNginx(t, "", "live")
	front := splicing(t, nginx)
	publishFFmpeg(t, s, target{rtmp: nginx, app: "live", name: "picture"})
	eventually(t, "the stream is there", watch(t, target{rtmp: nginx, app: "live", name: "picture"}).has(200))
	var all []*playing
	for _, pl := range players {
		if pl.name == "ffmpeg-rtmps" || pl.name == "nginx-pull" {
			continue // RTMPS cannot be spliced; nginx is a player of librtmp's manners
		}
		all = append(all, pl.start(t, s, front.target("live", "picture"), 3))
	}
	all = append(all, player{"ffmpeg, direct", true, playFFmpeg}.start(t, s, target{rtmp: nginx, app: "live", name: "picture"}, 3))
	for _, p := range all {
		p.finish(t)
	}
	front.noneCarried(t)
}

// What encoders publish through a front that splices arrives at nginx-rtmp. FFmpeg
// mirrors chunk sizes; where it would have to make its own smaller it is carried.
func TestSplicedPublishersArrive(t *testing.T) {
	for _, c := range []struct {
		pub     publisher
		size    int // nginx's chunk_size
		carried string
	}{
		{publisher{"ffmpeg", h264Source, publishFFmpeg}, 65536, ""},
		{publisher{"ffmpeg", h264Source, publishFFmpeg}, 4096, "chunk-echo"},
		{publisher{"gstreamer", plainSource, publishGStreamer}, 4096, ""},
	} {
		t.Run(fmt.Sprintf("%s %d", c.pub.name, c.size), func(t *testing.T) {
			s := c.pub.source(t)
			_, addr := nginxChunks(t, c.size)
			front := splicing(t, addr)
			c.pub.publish(t, s, front.target("live", "picture"))
			at := target{rtmp: addr, app: "live", name: "picture"}
			eventually(t, "the stream is there", watch(t, at).has(200))
			player{"ffmpeg", true, playFFmpeg}.start(t, s, at, 3).finish(t)
			if c.carried == "" {
				front.noneCarried(t)
			} else if l := front.lines("not spliced"); len(l) != 1 || l[0]["reason"] != c.carried {
				t.Errorf("not spliced: %v, want %q once", l, c.carried)
			}
		})
	}
}

// nginxChunks starts nginx-rtmp with a chunk size.
func nginxChunks(t *testing.T, size int) (*process, string) {
	t.Helper()
	dir, addr := t.TempDir(), proctest.Addr(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off; master_process off; error_log stderr warn; pid %s/pid;
events { worker_connections 256; }
rtmp { server { listen %s; chunk_size %d; access_log off; application live { live on; wait_key on; wait_video on; } } }
`, nginxModule, dir, addr, size), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "nginx", nginxRTMP(t), "-p", dir, "-c", conf)
	eventually(t, "nginx listens", accepts(addr))
	return p, addr
}

// The server dies: its viewers are closed at once, and the closing line says why.
func TestSplicedViewersEndWithTheirServer(t *testing.T) {
	nginx, addr := nginxChunks(t, 4096)
	front := splicing(t, addr)
	publishFFmpeg(t, h264Source(t), target{rtmp: addr, app: "live", name: "picture"})
	v := watch(t, front.target("live", "picture"))
	eventually(t, "a picture", v.has(500))
	nginx.signal(syscall.SIGKILL)
	select {
	case <-v.done:
	case <-time.After(patience):
		t.Fatal("the viewer is not closed")
	}
	eventually(t, "the closing line", func() error {
		for _, l := range front.lines("session closed") {
			if l["role"] == "viewer" && l["reason"] == "source-lost" && l["ended_by"] == "backend" {
				return nil
			}
		}
		return fmt.Errorf("no viewer was closed for source-lost:\n%s", strings.TrimSpace(front.log.Tail(2000)))
	})
}

// A server that stops and keeps its connections is found down, and its spliced viewers are ended, those
// too that wait for a stream: their players come back and are placed elsewhere. One that waits at a
// server that lives is left alone.
func TestSplicedViewersLeaveAFrozenServer(t *testing.T) {
	nginx, addr := nginxChunks(t, 4096)
	front := startNode(t, nodeOptions{name: "front", roles: "front", config: fmt.Sprintf(
		"front:\n  backends:\n    servers:\n      - {name: ng, rtmp: \"%s\", kind: nginx-rtmp, load: {kind: none}, check: {interval: 500ms, timeout: 500ms}}\n", addr)})
	publishFrames(t, addr, "picture").onAir(t)
	sees := watch(t, front.target("live", "picture"))
	eventually(t, "a picture", sees.has(100))
	waits := watch(t, front.target("live", "nothing"))
	eventually(t, "both are there", func() error {
		if n := len(front.lines("placed")); n < 2 {
			return fmt.Errorf("%d of 2", n)
		}
		return nil
	})
	select {
	case <-waits.done:
		t.Fatal("the viewer that waits at a server that lives was ended")
	case <-time.After(5 * time.Second):
	}
	nginx.signal(syscall.SIGSTOP)
	defer nginx.signal(syscall.SIGCONT)
	stopped := time.Now()
	for what, v := range map[string]*viewer{"viewer": sees, "viewer that waits": waits} {
		select {
		case <-v.done:
			t.Logf("the %s was ended %v after", what, time.Since(stopped).Round(time.Millisecond))
		case <-time.After(patience):
			t.Fatalf("the %s is left at a frozen server", what)
		}
	}
	eventually(t, "the closing lines", func() error {
		n := 0
		for _, l := range front.lines("session closed") {
			if l["role"] == "viewer" && l["reason"] == "source-silent" && l["ended_by"] == "backend" {
				n++
			}
		}
		if n != 2 {
			return fmt.Errorf("%d of 2 were closed for source-silent:\n%s", n, strings.TrimSpace(front.log.Tail(2000)))
		}
		return nil
	})
	front.noneCarried(t)
}

// A spliced viewer is two descriptors of the front, and none when it has left.
func TestSplicedViewersHaveTwoDescriptors(t *testing.T) {
	const n = 10
	_, addr := nginxChunks(t, 4096)
	front := splicing(t, addr)
	publishFFmpeg(t, h264Source(t), target{rtmp: addr, app: "live", name: "picture"})
	// What the first one brings stays: a loop's own, and a pipe or two.
	first := watch(t, front.target("live", "picture"))
	eventually(t, "a picture", first.has(1000))
	open := func() int {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", front.p.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := open()
	var all []*viewer
	for range n {
		all = append(all, watch(t, front.target("live", "picture")))
	}
	for _, v := range all {
		eventually(t, "a picture", v.has(500))
	}
	// Connections of health checks come and go.
	within := func(want int) func() error {
		return func() error {
			if got := open() - before; got < want-2 || got > want+4 {
				return fmt.Errorf("%d descriptors more than before, want %d", got, want)
			}
			return nil
		}
	}
	eventually(t, "two descriptors each", within(2*n))
	for _, v := range all {
		v.leave()
	}
	eventually(t, "none when they have left", within(0))
	front.noneCarried(t)
}
