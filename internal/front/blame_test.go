package front_test

import (
	stdnet "net"
	"testing"
	"time"

	"weir/internal/media/relay"
	"weir/internal/ops/event"
	"weir/rtmp"
)

// deaf takes connections and never answers a publish.
func deaf(nc stdnet.Conn) {
	c := rtmp.NewServerConn(nc, rtmp.Options{})
	if c.Handshake() != nil {
		return
	}
	if _, err := c.ReadConnect(); err != nil || c.AcceptConnect(nil) != nil {
		return
	}
	for {
		if _, err := c.Next(); err != nil {
			return
		}
	}
}

// The first server takes all the time that it may; the second is cut off by the client's patience, and would
// perhaps have answered.
func TestWhoIsNotGivenItsTimeHasNotFailed(t *testing.T) {
	behind(t, nil, func(t *testing.T, w *foreignFleet) {
		w.a.script, w.b.script = deaf, deaf
		began := time.Now()
		run := w.Publish(w.fronts[0], alice, 1)
		elapse(relay.DialTimeout + relay.AnswerTimeout + 4*time.Second)
		if over, err := run.Ended(); !over {
			t.Fatalf("not answered after %v: %v", time.Since(began), err)
		}
		if a, b := w.book.count(w.book.failed, "a"), w.book.count(w.book.failed, "b"); a != 1 || b != 0 {
			t.Errorf("%d failures of the first, %d of the second", a, b)
		}
		if failed := event.Of[event.BackendFailed](w.fronts[0].Rec); len(failed) != 1 || failed[0].Node != "a" {
			t.Errorf("%+v", failed)
		}
	})
}
