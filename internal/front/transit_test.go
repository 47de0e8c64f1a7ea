package front

import (
	"testing"

	"weir/internal/stream"
)

func TestCarriedNamesAreThePublishers(t *testing.T) {
	for _, name := range []string{"alice", "a#b", "#", "x4#20"} {
		n := stream.Name{App: "live", Stream: name}
		if in := transitName(n, 20); in == n || in == transitName(n, 21) || Carried(in) != n {
			t.Errorf("%v → %v → %v", n, in, Carried(in))
		}
	}
}
