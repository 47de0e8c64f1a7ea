package cluster_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/store"
)

// placing is a front that has publishers at servers that are no nodes.
type placing struct {
	*cluster.Cluster
	mu sync.Mutex
	at map[string]int
}

func front(t testing.TB, s store.Store, name string) *placing {
	t.Helper()
	f := &placing{at: map[string]int{}}
	f.Cluster = join(t, s, name, func(o *cluster.Options) { o.Self.Roles = []string{"front"} })
	f.SharePlaced(func() map[string]cluster.Placed {
		f.mu.Lock()
		defer f.mu.Unlock()
		out := map[string]cluster.Placed{}
		for s, n := range f.at {
			out[s] = cluster.Placed{Sessions: n, Publishers: n}
		}
		return out
	})
	return f
}

func (f *placing) add(server string, n int) {
	f.mu.Lock()
	f.at[server] += n
	f.mu.Unlock()
}

func (f *placing) has(server string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[server]
}

func (f *placing) set(server string, n int) {
	f.add(server, n-f.has(server))
	f.PlacedChanged()
}

func (f *placing) admit(server string, limit int) error {
	return f.Admit(server, limit, func() { f.add(server, 1) })
}

// sees is what a front knows of another.
func (f *placing) sees(name, server string) int {
	n, _ := f.Node(name)
	return n.Placed[server].Publishers
}

// writes counts how often a front's record is written from now on.
func writes(t *testing.T, s store.Store, name string) *atomic.Int64 {
	n := new(atomic.Int64)
	changes := s.Watch(t.Context(), "/weir/1/fronts/"+name, 0)
	go func() {
		for b := range changes {
			n.Add(int64(len(b.Events)))
		}
	}()
	return n
}

func TestFrontsTellEachOtherWhatTheyHave(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := front(t, handle(t, m), "a"), front(t, handle(t, m), "b")
		elapse(time.Second)
		a.set("x", 3)
		synctest.Wait()
		if got := b.sees("a", "x"); got != 3 {
			t.Errorf("at once: %d", got)
		}
		// Whatever happens meanwhile, it is written a few times a second, and what is true in the end is told.
		n := writes(t, handle(t, m), "a")
		for i := range 500 {
			elapse(2 * time.Millisecond)
			a.set("x", i)
		}
		elapse(200 * time.Millisecond)
		if got := b.sees("a", "x"); got != 499 {
			t.Errorf("after 200 ms: %d", got)
		}
		elapse(3 * time.Second)
		if n := n.Load(); n < 4 || n > 7 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestALargeRecordIsWrittenLessOften(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, _ := front(t, handle(t, m), "a"), front(t, handle(t, m), "b")
		elapse(time.Second)
		n := writes(t, handle(t, m), "a")
		for i := range 1000 {
			a.set(fmt.Sprintf("%s%04d", strings.Repeat("x", 50), i), 1)
		}
		for range 500 {
			elapse(10 * time.Millisecond)
			a.set("x", a.has("x")+1)
		}
		if n := n.Load(); n < 4 || n > 7 {
			t.Errorf("%d writes of 80 kB in 5 s", n)
		}
	})
}

// What a front had at servers went with it: whether it left, died, or was cut off from the store.
func TestTheRecordOfADeadFrontIsGone(t *testing.T) {
	for what, end := range map[string]func(a *placing, s *store.Memory){
		"left":     func(a *placing, _ *store.Memory) { a.Close() },
		"vanished": func(_ *placing, s *store.Memory) { s.Partition(true) },
	} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(t *testing.T, m *store.Memory) {
				s := handle(t, m)
				a, b := front(t, s, "a"), front(t, handle(t, m), "b")
				elapse(time.Second)
				for range 2 {
					if err := a.admit("x", 2); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if err := b.admit("x", 2); err == nil {
					t.Fatal("let in at a full server")
				}
				end(a, s)
				elapse(cluster.DefaultTTL + 2*time.Second)
				if got := b.sees("a", "x"); got != 0 {
					t.Errorf("%d publishers of nobody", got)
				}
				for range 2 {
					if err := b.admit("x", 2); err != nil {
						t.Error(err)
					}
				}
				s.Partition(false)
				elapse(10 * time.Second)
			})
		})
	}
}

// crowd has each of some fronts let publishers in, as fast as they can.
func crowd(t *testing.T, fronts []*placing, each, limit int) {
	t.Helper()
	var in, full atomic.Int64
	var wg sync.WaitGroup
	for _, f := range fronts {
		for range each {
			wg.Go(func() {
				var not *cluster.FullError
				switch err := f.admit("x", limit); {
				case err == nil:
					in.Add(1)
				case errors.As(err, &not):
					full.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	have := 0
	for _, f := range fronts {
		have += f.has("x")
	}
	if in.Load() != int64(limit) || have != limit || full.Load() != int64(each*len(fronts)-limit) {
		t.Errorf("%d let in, %d there, %d refused; the server takes %d", in.Load(), have, full.Load(), limit)
	}
}

func TestFrontsTogetherKeepALimitExactly(t *testing.T) {
	for limit := range 12 {
		bubble(t, func(t *testing.T, m *store.Memory) {
			fronts := []*placing{front(t, handle(t, m), "a"), front(t, handle(t, m), "b"), front(t, handle(t, m), "c")}
			elapse(time.Second)
			crowd(t, fronts, 20, limit)
			// Who leaves makes room, for whomever.
			if limit > 0 {
				for _, f := range fronts {
					f.set("x", 0)
				}
				elapse(time.Second)
				crowd(t, fronts, 20, limit)
			}
		})
	}
}

func TestFrontsTogetherKeepALimitExactlyOnEmbeddedEtcd(t *testing.T) {
	e, err := store.StartEmbedded(t.Context(), store.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	other, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{e.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	fronts := []*placing{front(t, e, "a"), front(t, other, "b"), front(t, other, "c")}
	for _, f := range fronts {
		until(t, "all fronts know each other", func() bool { return len(f.Nodes()) == 3 })
	}
	crowd(t, fronts, 30, 40)
}

// Without the store a publisher is let in at once by what is known; and what was let in is told when it is back.
func TestP2AStoreThatIsAwayKeepsNoPublisherOut(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a, b := front(t, handle(t, m), "a"), front(t, handle(t, m), "b")
		elapse(time.Second)
		b.set("x", 1)
		synctest.Wait()
		m.Stop()
		for i := range 5 {
			began := time.Now()
			if err := a.admit("x", 2); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("publisher %d waited %v", i, took)
			}
			elapse(time.Second)
		}
		m.Resume()
		elapse(10 * time.Second)
		if got := b.sees("a", "x"); got != 5 {
			t.Errorf("b knows of %d", got)
		}
		if err := b.admit("x", 6); err == nil {
			t.Error("let in at a full server")
		}
	})
}

// Nobody writes for nobody.
func TestALoneFrontTellsNobody(t *testing.T) {
	bubble(t, func(t *testing.T, m *store.Memory) {
		a := front(t, handle(t, m), "a")
		for range 3 {
			if err := a.admit("x", 1); err != nil { // its own index says no
				t.Error(err)
			}
		}
		a.PlacedChanged()
		elapse(2 * time.Second)
		if kvs, _, err := m.List(t.Context(), "/weir/1/fronts/"); err != nil || len(kvs) != 0 {
			t.Errorf("%v %v", kvs, err)
		}
	})
}

// twoFronts are two fronts at an embedded etcd, one of them over the network.
func twoFronts(b *testing.B) (x, y *placing) {
	e, err := store.StartEmbedded(b.Context(), store.EmbeddedOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	other, err := store.NewEtcd(store.EtcdOptions{Endpoints: []string{e.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { other.Close() })
	x, y = front(b, e, "a"), front(b, other, "b")
	for _, f := range []*placing{x, y} {
		until(b, "both know each other", func() bool { return len(f.Nodes()) == 2 })
	}
	return x, y
}

// What a publisher waits at a limited server, alone and in a crowd that comes to both fronts at once.
func BenchmarkAdmitEmbeddedEtcd(b *testing.B) {
	for _, crowd := range []int{1, 100} {
		b.Run(fmt.Sprint(crowd), func(b *testing.B) {
			x, y := twoFronts(b)
			for b.Loop() {
				var wg sync.WaitGroup
				for i := range crowd {
					f := []*placing{y, x}[i%2]
					wg.Go(func() {
						if err := f.admit("x", 1<<30); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
		})
	}
}

// How long after a change another front knows of it, when there was none a moment ago.
func BenchmarkToldEmbeddedEtcd(b *testing.B) {
	x, y := twoFronts(b)
	n := 0
	for b.Loop() {
		b.StopTimer()
		time.Sleep(shareEvery)
		b.StartTimer()
		n++
		y.set("x", n)
		for x.sees("b", "x") != n {
			runtime.Gosched()
		}
	}
}

const shareEvery = 250 * time.Millisecond // more than the pause between two writes
