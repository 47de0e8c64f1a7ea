package node

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
	"weir/internal/front"
	"weir/internal/stream"
)

// lone is a cluster of one node.
type lone struct{}

func (lone) Nodes() []cluster.Node {
	return []cluster.Node{{NodeRecord: cluster.NodeRecord{Name: "a", Roles: []string{"origin", "edge"}, State: cluster.StateUp,
		Addresses: cluster.Addresses{RTMP: "a:1935"}}, LoadSeen: time.Now()}}
}
func (lone) Pulls(stream.Name) []string                     { return nil }
func (lone) Known(stream.Name) (cluster.StreamRecord, bool) { return cluster.StreamRecord{}, false }

// What a front promises to publishers and viewers of a lone server rests on this difference.
func TestWhatHasFailedIsTheLastChoiceAndWhatIsLeftIsNone(t *testing.T) {
	p := placer{f: fleet.New(lone{}, rand.New(rand.NewPCG(1, 1)))}
	for what, choose := range map[string]func(front.Request) (front.Backend, error){"publisher": p.Publisher, "viewer": p.Viewer} {
		name, a := stream.Name{App: "live", Stream: "alice"}, []string{"a"}
		if b, err := choose(front.Request{Name: name, Exclude: a}); err != nil || b.Node != "a" {
			t.Errorf("%s: what has failed: %+v %v", what, b, err)
		}
		if b, err := choose(front.Request{Name: name, Exclude: a, Never: a}); !errors.Is(err, front.ErrNoServer) {
			t.Errorf("%s: what is left: %+v %v", what, b, err)
		}
	}
}
