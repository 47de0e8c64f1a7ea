package interop_test

import "testing"

// Whoever lands on the wrong node is served as if a front had sent them: a publisher
// at an edge, viewers at both origins, at the other edge and at the front.
func TestAnyRoleServes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	s := h264Source(t)
	publishFFmpeg(t, s, c.e1.target("live", "erin"))
	owner := c.front.published(t, "live", "erin").Owner
	if owner != "o1" && owner != "o2" {
		t.Errorf("owner %q is no origin", owner)
	}
	var at []*playing
	for _, n := range []*node{c.o1, c.o2, c.e1, c.e2, c.front} {
		at = append(at, player{name: "ffmpeg at " + n.name, play: playFFmpeg}.start(t, s, n.target("live", "erin"), 4))
	}
	for _, p := range at {
		t.Run(p.player, p.finish)
	}
}

// One process with every role and no flags beyond its addresses is a whole server.
func TestStandaloneNode(t *testing.T) {
	t.Parallel()
	n := startNode(t, nodeOptions{name: "alone", roles: "front,origin,edge"})
	s := h264Source(t)
	publishFFmpeg(t, s, n.target("live", "frank"))
	n.published(t, "live", "frank")
	p := player{name: "ffmpeg", play: playFFmpeg}.start(t, s, n.target("live", "frank"), 4)
	p.finish(t)
}
