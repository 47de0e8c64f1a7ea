package interop_test

import (
	"fmt"
	"syscall"
	"testing"
)

// P3: a publisher that is killed and comes back keeps its viewers: nobody is
// disconnected, no timestamp goes back, and what they see goes on.
func TestP3PublisherRestartKeepsViewers(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	s := h264Source(t)
	g := c.front.target("live", "dave")
	first := publishFFmpeg(t, s, g)
	c.front.published(t, "live", "dave")

	dump := player{name: "rtmpdump", play: playRTMPDump}.start(t, s, c.e1.target("live", "dave"), 0)
	gst := player{name: "gstreamer", play: playGStreamer}.start(t, s, c.front.target("live", "dave"), 0)
	var viewers []*viewer
	for _, n := range c.all() {
		viewers = append(viewers, watch(t, n.target("live", "dave")))
	}
	for _, v := range viewers {
		eventually(t, "media of the first run", v.has(3000))
	}
	first.kill()
	before := make([]float64, len(viewers))
	for i, v := range viewers {
		before[i] = span(v.received())
	}
	publishFFmpeg(t, s, g)
	for i, v := range viewers {
		eventually(t, "media of the second run", v.has(before[i]+5000))
		if err := ordered(v.received()); err != nil {
			t.Errorf("viewer at %s: %v", c.all()[i].name, err)
		}
	}
	for _, p := range []*playing{dump, gst} {
		t.Run(p.player, func(t *testing.T) {
			if err := p.running(); err != nil {
				t.Fatal(err)
			}
			p.stop(syscall.SIGINT)
			tags, _, err := readTags(p.record)
			if err != nil {
				t.Fatal(err)
			}
			if err := ordered(tags); err != nil {
				t.Fatal(err)
			}
			got, err := decodeFile(s.decoder, p.record)
			if err != nil {
				t.Fatal(err)
			}
			if err := twoRuns(got.video, s.frames.video); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// twoRuns checks that got is two unbroken parts of want, each of at least two
// seconds, of which the second begins with want's first frame. Between the two, and
// at the end, up to videoTail pictures may be damaged: those whose neighbours were
// never sent.
func twoRuns(got, want []decodedFrame) error {
	place := make(map[string]int, len(want))
	for i, f := range want {
		place[f.hash] = i
	}
	const long = 60 // frames
	var from, to []int
	damaged := 0
	last := -2
	for _, f := range got {
		at, ok := place[f.hash]
		switch {
		case !ok:
			damaged++
		case at == last+1:
			to[len(to)-1] = at
			last = at
		default:
			from, to = append(from, at), append(to, at)
			last = at
		}
	}
	var runs [][2]int
	for i := range from {
		if to[i]-from[i] >= long {
			runs = append(runs, [2]int{from[i], to[i]})
		} else {
			damaged += to[i] - from[i] + 1
		}
	}
	if len(runs) != 2 || runs[1][0] != 0 || damaged > 2*videoTail {
		return fmt.Errorf("source pictures %v were decoded, and %d others", runs, damaged)
	}
	return nil
}
