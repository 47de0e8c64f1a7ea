package cluster_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// vanished claims, and wants to be told of the last owner.
func vanished(t *testing.T, c *cluster.Cluster, owner string, e stream.Epoch, timeline string) {
	t.Helper()
	var busy *cluster.BusyError
	if o, err := c.Claim(t.Context(), alice, cluster.Facts{}); err == nil {
		o.Release(t.Context())
		t.Fatal("the claim was granted")
	} else if !errors.As(err, &busy) || !busy.Vanished || busy.Owner != owner || busy.Epoch != e || busy.Timeline != timeline {
		t.Fatalf("%v: %+v", err, busy)
	}
}

// P1: a name whose record went with its owner's lease is not free until the owner has been asked: it
// may be cut off from the store alone.
func TestP1VanishedOwnersStreamIsNotFree(t *testing.T) {
	for _, c := range []struct {
		how    string
		strike func(m, ha *store.Memory)
		// gone says that the record goes at once.
		gone bool
	}{
		{how: "cut off", strike: func(_, ha *store.Memory) { ha.Partition(true) }},
		{how: "wiped", strike: func(m, ha *store.Memory) { ha.Partition(true); m.Wipe() }, gone: true},
		{how: "away, and back", strike: func(m, ha *store.Memory) { ha.Partition(true); m.Stop(); elapse(time.Minute); m.Resume() }},
	} {
		t.Run(c.how, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *store.Memory) {
				ha := handle(t, m)
				a, b := join(t, ha, "a"), join(t, handle(t, m), "b")
				o, err := a.Claim(t.Context(), alice, cluster.Facts{Timeline: "tape"})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				c.strike(m, ha)
				began := time.Now()
				if c.gone {
					elapse(3 * time.Second)
					vanished(t, b, "a", o.Epoch(), "tape")
				}
				elapse(12*time.Second - time.Since(began))
				vanished(t, b, "a", o.Epoch(), "tape")
				elapse(4 * time.Minute)
				vanished(t, b, "a", o.Epoch(), "tape")
				ha.Partition(false)
				elapse(5 * time.Second)
				if who, e := owner(t, b, alice); who != "a" || e != o.Epoch() || isLost(o) {
					t.Fatalf("back in the registry: %q %v", who, e)
				}
				if err := o.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
				claim(t, b, alice) // given back, it is free
			})
		})
	}
}

// Neither what was forgotten after five minutes is in the way, nor what its owner gave back before it left.
func TestGivenBackStreamsAreFree(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		a, b := join(t, ha, "a"), join(t, handle(t, m), "b")
		claim(t, a, alice)
		ha.Partition(true)
		elapse(6 * time.Minute)
		o := claim(t, b, alice)
		o.Release(t.Context())
		ha.Partition(false)
		elapse(10 * time.Second)
		claim(t, a, alice)
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		claim(t, b, alice) // it has left, and said so
	})
}

// A node that was not there when an owner vanished hears of it from those who pull the stream.
func TestP1NewcomerAmongNodesAsksWhoPulls(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		ha := handle(t, m)
		a, edge := join(t, ha, "a"), join(t, handle(t, m), "edge")
		claim(t, a, alice)
		edge.PullStarted(alice)
		ha.Partition(true)
		elapse(12 * time.Second)
		b := join(t, handle(t, m), "b")
		vanished(t, b, "", stream.Epoch{}, "")
		edge.PullEnded(alice)
		synctest.Wait()
		claim(t, b, alice)
	})
}

// What a node has seen given back is free for it, however young it is, and however long others take to let go.
func TestP1GivenBackStreamsAreFreeWhileTheyArePulled(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, edge, b := join(t, handle(t, m), "a"), join(t, handle(t, m), "edge"), join(t, handle(t, m), "b")
		o := claim(t, a, alice)
		edge.PullStarted(alice)
		synctest.Wait()
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		o = claim(t, b, alice)
		synctest.Wait()
		if err := o.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		claim(t, a, alice)
		if err := a.Close(); err != nil { // it leaves, and says so
			t.Fatal(err)
		}
		synctest.Wait()
		claim(t, b, alice)
	})
}
