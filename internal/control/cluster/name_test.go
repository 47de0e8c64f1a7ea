package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
	"weir/internal/stream"
)

// says answers for whoever has the name.
func says(life cluster.Life) func(*cluster.Options) {
	return func(o *cluster.Options) {
		o.Ask = func(context.Context, cluster.NodeRecord) cluster.Life { return life }
	}
}

// start is join for who may be refused.
func start(t *testing.T, s store.Store, name string, with func(*cluster.Options)) (*cluster.Cluster, error) {
	t.Helper()
	o := cluster.Options{Store: s, Self: cluster.NodeRecord{Name: name}, Rand: rand.New(rand.NewPCG(2, 3)), Logger: slog.New(slog.DiscardHandler)}
	with(&o)
	c, err := cluster.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, c.Start(t.Context())
}

// P1: a second process under a running node's name does not start, and the first
// one keeps what it has. Nobody loses a frame for a slip in a configuration.
func TestP1ANameInUseIsRefused(t *testing.T) {
	for _, tc := range []struct {
		what, sign string
		with       func(*cluster.Options)
		within     time.Duration
	}{
		{"it answers", "answers", says(cluster.Lives), 100 * time.Millisecond},
		{"it is heard through the store only", "reports its load", says(cluster.Unknown), 4 * time.Second},
		{"nobody can be asked", "reports its load", func(*cluster.Options) {}, 4 * time.Second},
	} {
		t.Run(tc.what, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *store.Memory) {
				old := join(t, handle(t, m), "a", func(o *cluster.Options) { o.Self.Addresses.RTMP = "192.0.2.7:1935" })
				own := claim(t, old, alice)
				b := join(t, handle(t, m), "b")
				began := time.Now()
				_, err := start(t, handle(t, m), "a", tc.with)
				var taken *cluster.NameTakenError
				if !errors.As(err, &taken) || taken.Holder.Process != old.Self().Process {
					t.Fatalf("%v", err)
				}
				if took := time.Since(began); took > tc.within {
					t.Errorf("told after %v", took)
				}
				for _, want := range []string{`"a"`, tc.sign, "192.0.2.7:1935", old.Self().Process, "node.name"} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q does not say %q", err, want)
					}
				}
				elapse(20 * time.Second)
				if who, epoch := owner(t, b, alice); who != "a" || epoch != own.Epoch() || isLost(own) || old.Displaced() {
					t.Errorf("the running node was disturbed: owner %q", who)
				}
				if n, _ := b.Node("a"); n.Process != old.Self().Process {
					t.Error("its record was replaced")
				}
			})
		})
	}
}

// Of two processes that start at once under one name, one runs.
func TestOneOfTwoThatStartUnderOneNameRuns(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		errs := make(chan error, 2)
		for range 2 {
			h := handle(t, m)
			go func() {
				_, err := start(t, h, "a", says(cluster.Unknown))
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if (a == nil) == (b == nil) {
			t.Fatalf("%v; %v", a, b)
		}
		if err := errors.Join(a, b); !errors.Is(err, cluster.ErrNameTaken) {
			t.Fatal(err)
		}
	})
}

// A crash leaves a record behind. Whoever starts anew on its name does not wait for
// the lease to run out.
func TestRestartedNodeReplacesItsPredecessor(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		h := handle(t, m)
		claim(t, join(t, h, "a"), alice)
		h.Partition(true) // as good as dead
		b := join(t, handle(t, m), "b")
		began := time.Now()
		again := join(t, handle(t, m), "a", says(cluster.Ended))
		if took := time.Since(began); took > time.Second {
			t.Errorf("ready after %v", took)
		}
		synctest.Wait()
		if who, _ := owner(t, b, alice); who != "" {
			t.Errorf("a crash left %s as the owner", who)
		}
		claim(t, again, alice)
	})
}

// A process that was cut off, or frozen, until another had its name stands back for
// good when it returns.
func TestDisplacedProcessStandsBack(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		h := handle(t, m)
		old := join(t, h, "a")
		oldOwn := claim(t, old, alice)
		h.Partition(true)
		b := join(t, handle(t, m), "b")
		began := time.Now()
		again := join(t, handle(t, m), "a", says(cluster.Unknown))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("waited %v for a process that says nothing", took)
		}
		o := claim(t, again, alice)
		elapse(10 * time.Second)
		h.Partition(false)
		elapse(20 * time.Second)
		if !isLost(oldOwn) || isLost(o) {
			t.Error("two processes of one name")
		}
		if !old.Displaced() || again.Displaced() || b.Displaced() {
			t.Error("the wrong one knows that it is displaced")
		}
		if _, err := old.Claim(t.Context(), stream.Name{App: "x", Stream: "y"}, cluster.Facts{}); !errors.Is(err, cluster.ErrNameTaken) {
			t.Errorf("%v", err)
		}
		if n, _ := b.Node("a"); n.Process != again.Self().Process {
			t.Error("the predecessor's record is back")
		}
	})
}
