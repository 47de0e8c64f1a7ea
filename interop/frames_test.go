package interop_test

import (
	"fmt"
	"testing"
	"time"
)

// Twelve seconds on both edges and on the front decode to exactly the source's
// pictures and samples; one owner; one pull an edge, whatever the number of viewers;
// none 15 s after the last has left. All with default settings, on Debian's etcd.
func TestFramesIdenticalOnBothEdgesAndFront(t *testing.T) {
	t.Parallel()
	const (
		seconds = 12
		perEdge = 20
		app     = "live"
		name    = "alice"
	)
	c := startEtcdCluster(t, "")
	s := h264Source(t)
	start(t, "publish", tool(t, "ffmpeg"), "-v", "warning", "-nostdin", "-re", "-stream_loop", "-1", "-i", s.path,
		"-c", "copy", "-f", "flv", c.front.target(app, name).url())
	owner := c.front.published(t, app, name).Owner
	if owner != "o1" && owner != "o2" {
		t.Fatalf("owner %q is no origin", owner)
	}

	var at []*playing
	for _, n := range []*node{c.e1, c.e2, c.front} {
		at = append(at, player{name: "ffmpeg at " + n.name, play: playFFmpeg}.start(t, s, n.target(app, name), seconds),
			player{name: "rtmpdump at " + n.name, play: playRTMPDump}.start(t, s, n.target(app, name), seconds))
	}
	var viewers []*viewer
	for _, n := range []*node{c.e1, c.e2} {
		for range perEdge {
			viewers = append(viewers, watch(t, n.target(app, name)))
		}
	}
	for _, v := range viewers {
		eventually(t, "every viewer has media", v.has(1000))
	}
	for _, n := range c.all() {
		eventually(t, n.name+" tells of one owner and one pull an edge", func() error {
			if err := n.pullers(app, name, "e1", "e2")(); err != nil {
				return err
			}
			r, err := n.stream(app, name)
			if err == nil && r.Owner != owner {
				err = fmt.Errorf("owner %s, was %s", r.Owner, owner)
			}
			if err == nil && r.Viewers != len(viewers)+len(at) {
				err = fmt.Errorf("%d viewers, want %d", r.Viewers, len(viewers)+len(at))
			}
			return err
		})
	}
	holds(t, 2*time.Second, "one pull an edge", c.front.pullers(app, name, "e1", "e2"))

	for _, p := range at {
		t.Run(p.player, p.finish)
	}
	for _, v := range viewers {
		if err := v.watching(); err != nil {
			t.Fatal(err)
		}
		if err := ordered(v.received()); err != nil {
			t.Fatal(err)
		}
		v.leave()
	}
	for _, v := range viewers {
		<-v.done
	}
	eventually(t, "no pull after the last viewer has left", c.front.pullers(app, name))
	if _, err := c.front.stream(app, name); err != nil {
		t.Fatalf("the stream itself must go on: %v", err)
	}
}
