package front_test

import (
	"testing"
	"time"

	"weir/internal/media/mediatest"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

// narrow has little room on the way to and from a server, so that who does not read stops who
// sends to it.
func narrow(w *mediatest.World, at *mediatest.Node) {
	w.Net.Faults = func(addr string) testnet.Faults {
		if addr == at.Addr {
			return testnet.Faults{Window: 8 << 10}
		}
		return testnet.Faults{}
	}
}

// dozing is a viewer that after some seconds reads nothing for as long.
func dozing(w *mediatest.World, at *mediatest.Node, name stream.Name) *mediatest.Viewer {
	asleep := time.Now().Add(3 * time.Second)
	slept := false
	return w.View(at, name, func(*rtmp.Message) {
		if !slept && time.Now().After(asleep) {
			slept = true
			time.Sleep(8 * time.Second)
		}
	})
}

func unmoved(t *testing.T, at *mediatest.Node) {
	t.Helper()
	if failed := event.Of[event.BackendFailed](at.Rec); len(failed) != 0 {
		t.Errorf("accused: %+v", failed)
	}
	if moved := event.Of[event.BackendChanged](at.Rec); len(moved) != 0 {
		t.Errorf("moved: %+v", moved)
	}
}

// A viewer that does not read says nothing of the server that it is at.
func TestAServerIsNotAccusedOfItsViewersSlowness(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.Publish(w.front, alice, 1)
		elapse(time.Second)
		narrow(w.World, w.front)
		v := dozing(w.World, w.front, alice)
		elapse(20 * time.Second)
		healthy(t, v)
		if r := v.Report(); r.LongestDelay < 6*time.Second {
			t.Errorf("the viewer was not slow: %v", r.LongestDelay)
		}
		unmoved(t, w.front)
	})
}

func TestAForeignServerIsNotAccusedOfItsViewersSlowness(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.Publish(w.fronts[0], alice, 1)
		elapse(time.Second)
		narrow(w.World, w.fronts[1])
		v := dozing(w.World, w.fronts[1], alice)
		elapse(20 * time.Second)
		r := v.Report() // it began within a group
		if over, err := v.Ended(); over || r.Lost+r.Doubled+r.Foreign != 0 || time.Since(r.Last) > time.Second {
			t.Errorf("ended %v %v, saw %s", over, err, r.Faults())
		}
		if r.LongestDelay < 6*time.Second {
			t.Errorf("the viewer was not slow: %v", r.LongestDelay)
		}
		unmoved(t, w.fronts[1])
		if n := w.book.count(w.book.failed, "a"); n != 0 {
			t.Errorf("the server has failed %d times", n)
		}
	})
}
