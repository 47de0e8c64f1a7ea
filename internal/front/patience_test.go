package front

import (
	"testing"

	"weir/internal/media/relay"
)

func TestWaitsGrowAndDiffer(t *testing.T) {
	const sessions = 100
	var all [sessions]waits
	for most := relay.BackoffMin; ; most = min(2*most, maxWait) {
		seen := map[int64]bool{}
		for i := range all {
			d := all[i].next()
			if d < most/2 || d > most {
				t.Fatalf("%v where %v to %v is due", d, most/2, most)
			}
			seen[int64(d)] = true
		}
		if len(seen) < sessions/2 {
			t.Errorf("%d different waits of %d sessions", len(seen), sessions)
		}
		if most == maxWait {
			return
		}
	}
}
