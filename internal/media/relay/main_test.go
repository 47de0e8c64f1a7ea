package relay_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/relay"
	"weir/internal/ops/event"
	"weir/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var alice = stream.Name{App: "live", Stream: "alice"}

// noticed is when a node that has gone silent is noticed at the latest.
const noticed = 2 * time.Second

// in runs f in a bubble with a World: its time is the bubble's.
func in(t *testing.T, f func(t *testing.T, w *mediatest.World)) {
	synctest.Test(t, func(t *testing.T) { f(t, mediatest.NewWorld(t)) })
}

// elapse lets the bubble's clock run.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want holds a stream at a node, or fails the test.
func want(t *testing.T, n *mediatest.Node, name stream.Name) *relay.Want {
	t.Helper()
	w, err := n.Pulls.Want(t.Context(), name, live.Position{})
	if err != nil {
		t.Fatalf("%s wants %v: %v", n.Name, name, err)
	}
	return w
}

// pulls is how many feeds a node has started, and ended.
func pulls(n *mediatest.Node) (started, ended int) {
	return len(event.Of[event.PullStarted](n.Rec)), len(event.Of[event.PullEnded](n.Rec))
}

// healthy checks that a viewer is on air, newly within a second, and has lost
// nothing that it should have.
func healthy(t *testing.T, v *mediatest.Viewer) {
	t.Helper()
	if over, err := v.Ended(); over {
		t.Fatalf("the viewer was ended: %v", err)
	}
	r := v.Report()
	if f := r.Faults(); f != "" {
		t.Errorf("the viewer saw %s", f)
	}
	if d := time.Since(r.Last); d > time.Second {
		t.Errorf("the viewer's last frame is %v old", d)
	}
}
