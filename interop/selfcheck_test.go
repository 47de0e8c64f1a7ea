package interop_test

import (
	"testing"
)

// The harness judges Weir; here nginx-rtmp, which is known to work, stands in for
// it. A failure here is the harness's or a program's, not Weir's.
func TestHarnessAgainstNginx(t *testing.T) {
	for _, pub := range publishers {
		if pub.source(t).enhanced || pub.name == "ffmpeg-rtmps" {
			continue // beyond nginx
		}
		t.Run(pub.name, func(t *testing.T) {
			t.Parallel()
			g := target{rtmp: startNginx(t, "", "live"), app: "live", name: "check"}
			pub.publish(t, pub.source(t), g)
			var at []*playing
			for _, pl := range players {
				if pl.name != "ffmpeg-rtmps" {
					at = append(at, pl.start(t, pub.source(t), g, 3))
				}
			}
			for _, p := range at {
				t.Run(p.player, p.finish)
			}
		})
	}
	t.Run("stamped", func(t *testing.T) {
		t.Parallel()
		g := target{rtmp: startNginx(t, "", "live"), app: "live", name: "stamped"}
		publishStamped(t, g, 1)
		v := watch(t, g)
		eventually(t, "media", v.has(2000))
		r := v.Report()
		r.Unstamped = 0 // nginx sends an empty audio message before the first frame
		if f := r.Faults(); f != "" {
			t.Error(f)
		}
		if err := ordered(v.received()); err != nil {
			t.Error(err)
		}
	})
}
