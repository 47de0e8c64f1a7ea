package interop_test

import "testing"

// Every publisher with every player that can carry its codecs: what is decoded is
// what was sent, picture by picture and sample by sample. Publishers go to the front,
// players to the front and to an edge in turn.
func TestInteropMatrix(t *testing.T) {
	const seconds = 4
	front := startNode(t, nodeOptions{name: "front", roles: "front,origin", config: rtmpsConfig(t),
		store: []string{"--store", "embedded", "--store-listen", "127.0.0.1:0", "--store-dir", t.TempDir()}})
	edge := startNode(t, nodeOptions{name: "edge", roles: "edge", store: externalStore(front.listening["store"])})

	t.Run("pairs", func(t *testing.T) { // returns when all have ended
		for i, pub := range publishers {
			t.Run(pub.name, func(t *testing.T) {
				s := pub.source(t)
				t.Parallel()
				pub.publish(t, s, front.target("live", pub.name))
				front.published(t, "live", pub.name)
				var at []*playing
				for j, pl := range players {
					if s.enhanced && !pl.enhanced {
						continue
					}
					to := front
					if (i+j)%2 == 0 && pl.name != "ffmpeg-rtmps" {
						to = edge
					}
					at = append(at, pl.start(t, s, to.target("live", pub.name), seconds))
				}
				for _, p := range at {
					t.Run(p.player, p.finish)
				}
			})
		}
	})
}
