package interop_test

import (
	"fmt"
	"testing"
)

// A viewer that joins between two key frames, four seconds apart, is given headers
// and the last key frame at once, not the next one.
func TestJoinMidGOP(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	s := longGOPSource(t)
	publishFFmpeg(t, s, c.front.target("live", "bob"))
	c.front.published(t, "live", "bob")

	for _, n := range []*node{c.o1, c.e1, c.front} {
		t.Run(n.name, func(t *testing.T) {
			guide := watch(t, n.target("live", "bob"))
			var joined uint32
			eventually(t, "the stream is in mid-GOP", func() error {
				if err := guide.watching(); err != nil {
					return err
				}
				var key, last uint32
				for _, m := range guide.received() {
					if m.key() {
						key = m.ms
					}
					if m.typ == 9 {
						last = m.ms
					}
				}
				if d := last - key; d < 1000 || d > 2500 {
					return fmt.Errorf("%d ms after the key frame", d)
				}
				joined = last
				return nil
			})
			late := watch(t, n.target("live", "bob"))
			dump := player{name: "rtmpdump", play: playRTMPDump}.start(t, s, n.target("live", "bob"), 2)
			eventually(t, "media", late.has(500))
			if err := ordered(late.received()); err != nil {
				t.Fatal(err)
			}
			for _, m := range late.received() {
				if m.typ == 9 && !m.header() {
					if m.ms > joined {
						t.Fatalf("the first picture is of %d ms; the stream was at %d ms already", m.ms, joined)
					}
					break
				}
			}
			dump.finish(t)
		})
	}
}
