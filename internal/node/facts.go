package node

import (
	"reflect"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/media/live"
)

// factsInterval is how often the public facts of this node's streams are
// compared with what the store has. Why not shorter: it is a write a stream.
const factsInterval = 5 * time.Second

// updateFacts tells the cluster what this node's own streams are made of.
func (n *node) updateFacts() {
	for _, pub := range n.ingest.All() {
		if own, ok := pub.Claim().(*claim); ok {
			own.measured(pub.Info())
		}
	}
	for _, c := range n.front.Claimed() {
		if own, ok := c.Claim.(frontClaim); ok {
			own.measured(c.Info)
		}
	}
}

// measured tells what a stream is made of.
func (c *claim) measured(info live.Info) {
	c.tell(func(f *cluster.Facts) {
		f.BitrateBPS = roundBitrate(float64(info.BitsPerSecond), f.BitrateBPS)
		f.Tracks = tracks(info)
	})
}

// roundBitrate keeps the old figure while the new one is close to it, so that
// the store is not written for noise.
func roundBitrate(now, old float64) float64 {
	if old > 0 && now > 0.8*old && now < 1.25*old {
		return old
	}
	return now
}

// tracks are a stream's tracks as the cluster keeps them.
func tracks(info live.Info) []cluster.Track {
	var out []cluster.Track
	for _, t := range info.Tracks {
		kind := "audio"
		if t.Video {
			kind = "video"
		}
		out = append(out, cluster.Track{Kind: kind, Codec: t.Codec, Width: t.Width, Height: t.Height, Rate: t.SampleRate, Channels: t.Channels})
	}
	return out
}

// tell changes the public facts.
func (c *claim) tell(change func(*cluster.Facts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.facts
	change(&c.facts)
	if !reflect.DeepEqual(before, c.facts) {
		c.Update(c.facts)
	}
}
