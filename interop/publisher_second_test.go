package interop_test

import (
	"context"
	"errors"
	"testing"

	"weir/internal/bench/stamp"
	"weir/rtmp"
)

// P1: while a key has a publisher, a second one is refused wherever it comes, with
// NetStream.Publish.BadName and before any of its media is taken.
func TestP1SecondPublisherRefused(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	publishStamped(t, c.o1.target("live", "carol"), 1)
	if owner := c.front.published(t, "live", "carol").Owner; owner != "o1" {
		t.Fatalf("published to o1, owner %s", owner)
	}
	var viewers []*viewer
	for _, n := range c.all() {
		viewers = append(viewers, watch(t, n.target("live", "carol")))
	}
	for _, v := range viewers {
		eventually(t, "media", v.has(500))
	}
	for _, n := range c.all() {
		t.Run("at "+n.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := stamp.Publish(ctx, stamp.PublishOptions{URL: n.target("live", "carol").url(), Feed: stamp.NewSource("live/carol", 2, stamp.Shape{})})
			refused, ok := errors.AsType[*rtmp.StatusError](err)
			if !ok || refused.Status.Code != "NetStream.Publish.BadName" {
				t.Fatalf("got %v, want NetStream.Publish.BadName", err)
			}
		})
		t.Run("ffmpeg at "+n.name, func(t *testing.T) {
			p := publishFFmpeg(t, h264Source(t), n.target("live", "carol"))
			if err := p.wait(patience); err == nil || p.running() == nil {
				t.Fatalf("ffmpeg was not refused: %v", err)
			}
		})
	}
	// The viewers go on with the first publisher's media alone.
	for i, v := range viewers {
		eventually(t, "more media", v.has(span(v.received())+1000))
		r := v.Report()
		if f := r.Faults(); f != "" || r.Switches != 0 || r.Epoch != 1 {
			t.Errorf("viewer at %s: %s; %d switches, epoch %d", c.all()[i].name, f, r.Switches, r.Epoch)
		}
	}
	if owner := c.front.published(t, "live", "carol").Owner; owner != "o1" {
		t.Fatalf("owner %s after the refusals", owner)
	}
}
