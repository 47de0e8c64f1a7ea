package cluster_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/ops/event"
)

// A node that is stopped has left, whatever state the store was in just before; one that
// vanishes is lost.
func TestANodeThatLeavesIsNotLost(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var heard event.Recorder
		watching := handle(t, m)
		join(t, watching, "a", recorded(&heard))
		b, dead := join(t, handle(t, m), "b"), handle(t, m)
		join(t, dead, "c")
		why := func(name string) event.Reason {
			synctest.Wait()
			for _, e := range event.Of[event.NodeDown](&heard) {
				if e.Name == name {
					return e.Reason
				}
			}
			return ""
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if r := why("b"); r != event.NodeLeft {
			t.Errorf("a node that was stopped: %q", r)
		}
		dead.Partition(true)
		elapse(7 * time.Second)
		if r := why("c"); r != event.NodeLost {
			t.Errorf("a node that vanished: %q", r)
		}
		d := join(t, handle(t, m), "d")
		m.Stop() // the watcher's view is shaken for a while: but who leaves is not remembered
		elapse(8 * time.Second)
		m.Resume()
		elapse(3 * time.Second)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if r := why("d"); r != event.NodeLeft {
			t.Errorf("a node that was stopped after an outage: %q", r)
		}
	})
}

// A publisher that its front has moved is no loss: an operator who drains a node finds no
// warnings.
func TestAHandOverIsNoLoss(t *testing.T) {
	for _, tc := range []struct {
		timeline string
		want     event.Reason
	}{{"t1", event.HandedOver}, {"t2", event.StaleEpoch}} {
		bubble(t, func(t *testing.T, m *store.Memory) {
			var heard event.Recorder
			a, b := join(t, handle(t, m), "a", recorded(&heard)), join(t, handle(t, m), "b")
			o, err := a.Claim(t.Context(), alice, cluster.Facts{Timeline: "t1"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.TakeOver(t.Context(), alice, cluster.Facts{Timeline: tc.timeline}, o.Epoch()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			lost := event.Of[event.OwnershipLost](&heard)
			if len(lost) != 1 || lost[0].Reason != tc.want || lost[0].By != "b" {
				t.Errorf("timeline %s: %+v", tc.timeline, lost)
			}
		})
	}
}

// What an operator reads of a healthy start and end says nothing of trouble.
func TestAHealthyLifeHasNoErrorsInTheLog(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		var said bytes.Buffer
		for range 2 { // the second finds the store as the first has left it
			c := join(t, handle(t, m), "a", func(o *cluster.Options) { o.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
			claim(t, c, alice)
			elapse(time.Minute)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if text := said.String(); strings.Contains(text, "err=") || strings.Contains(text, "WARN") || strings.Contains(text, "anew") {
			t.Error(text)
		}
	})
}
