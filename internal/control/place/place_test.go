package place

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"weir/internal/stream"
)

func fleet(n int) []Candidate {
	nodes := make([]Candidate, n)
	for i := range nodes {
		nodes[i] = candidate(fmt.Sprintf("n%03d", i))
	}
	return nodes
}

func streamName(i int) stream.Name { return stream.Name{App: "live", Stream: fmt.Sprint(i)} }

func TestLeastLoadFillsAnIdleFleetEvenly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	x := index(t, Options{}, fleet(10)...)
	for range 1000 { // all within one report's age
		d, ok := x.Publisher(&PublishRequest{Name: alice}, rng)
		if !ok {
			t.Fatal("nobody")
		}
		x.Reserve(&d, 1, time.Minute)
	}
	for id := range ID(10) {
		if p := x.Load(id).Publishers; p != 100 {
			t.Errorf("%s has %d of 1000 publishers", x.Name(id), p)
		}
	}
}

func TestWeightsAreKept(t *testing.T) {
	for _, p := range []Policy{LeastLoad, LeastConnections, Weighted} {
		rng := rand.New(rand.NewPCG(1, 1))
		x := index(t, Options{Publish: p}, candidate("a"), candidate("b", weight(2)), candidate("c", weight(5)))
		n := map[string]int{}
		for range 800 {
			d, _ := x.Publisher(&PublishRequest{Name: alice}, rng)
			x.Reserve(&d, 1, time.Minute)
			n[d.Node]++
		}
		if math.Abs(float64(n["a"])-100) > 2 || math.Abs(float64(n["b"])-200) > 2 {
			t.Errorf("%s: %v of 800, want 100, 200, 500", p, n)
		}
	}
}

func TestNoPolicyExceedsACapacityWhileOthersHaveRoom(t *testing.T) {
	for _, p := range ViewerPolicies() {
		rng := rand.New(rand.NewPCG(1, 1))
		x := index(t, Options{View: p}, candidate("a", limit(Capacity{Sessions: 3})), candidate("b", limit(Capacity{EgressBPS: 30e6})), candidate("c", limit(Capacity{Sessions: 7})))
		for i := range 20 {
			d, ok := x.Viewer(&ViewRequest{Name: streamName(i % 2)}, rng)
			if !ok {
				t.Fatalf("%s: nobody takes viewer %d of 20", p, i)
			}
			x.Reserve(&d, 1, time.Minute)
		}
		if d, ok := x.Viewer(&ViewRequest{Name: alice}, rng); ok {
			t.Errorf("%s: %s takes one beyond the fleet's capacity", p, d.Node)
		}
	}
}

func TestAllFailedIsNobody(t *testing.T) {
	for _, p := range ViewerPolicies() {
		x := index(t, Options{View: p}, fleet(40)...)
		all := []ID{}
		for id := range ID(40) {
			all = append(all, id)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		if d, ok := x.Viewer(&ViewRequest{Name: alice, Exclude: all}, rng); ok {
			t.Errorf("%s: %s", p, d.Node)
		}
		if d, ok := x.Viewer(&ViewRequest{Name: alice, Exclude: append(all[:17:17], all[18:]...)}, rng); !ok || d.Node != "n017" {
			t.Errorf("%s: %q, want the one that has not failed", p, d.Node)
		}
	}
}

func TestHashIsBoundedWhateverTheNames(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		nodes := fleet(1 + rng.IntN(30))
		for i := range nodes {
			nodes[i].Reported = false
		}
		x := index(t, Options{}, nodes...)
		streams := 1 + rng.IntN(50)
		for m := 1; m <= 1000; m++ {
			d, ok := x.Viewer(&ViewRequest{Name: streamName(rng.IntN(streams))}, rng)
			if !ok || d.Why != HashedBlind {
				t.Fatal(d)
			}
			x.Reserve(&d, 1, time.Minute)
			if bound := int(math.Ceil((1 + Epsilon) * float64(m) / float64(len(nodes)))); x.Load(d.ID).Sessions > bound {
				t.Fatalf("seed %d: %d of %d sessions at one of %d servers, bound %d", seed, x.Load(d.ID).Sessions, m, len(nodes), bound)
			}
		}
	}
}

func TestRingMovesOnlyTheShareOfTheNewcomer(t *testing.T) {
	before, after := index(t, Options{View: Hash}, fleet(19)...), index(t, Options{View: Hash}, fleet(20)...)
	moved, counts := 0, map[string]int{}
	const n = 20_000
	for i := range n {
		a, _ := before.Viewer(&ViewRequest{Name: streamName(i)}, nil)
		b, _ := after.Viewer(&ViewRequest{Name: streamName(i)}, nil)
		counts[b.Node]++
		if a.Node != b.Node {
			moved++
			if b.Node != "n019" {
				t.Fatalf("%d moved from %s to %s, which is not new", i, a.Node, b.Node)
			}
		}
	}
	if f := float64(moved) / n; f < 0.025 || f > 0.085 {
		t.Errorf("%.3f moved, 0.05 expected", f)
	}
	for name, c := range counts {
		if f := float64(c) / n * 20; f < 0.5 || f > 1.6 {
			t.Errorf("%s has %.2f of its share", name, f)
		}
	}
}

func TestReservationsEnd(t *testing.T) {
	x := index(t, Options{}, fleet(2)...)
	reserve := func(bps float64, now, expires time.Duration) Ticket {
		return x.Reserve(&Decision{Demand: Load{EgressBPS: bps, Sessions: 1}}, now, expires)
	}
	a := reserve(0.1, 1, 10)
	reserve(0.2, 2, 20)
	x.Expire(9)
	if x.Load(0).Sessions != 2 {
		t.Fatal("expired early")
	}
	x.Drop(a)
	x.Drop(a)
	x.Drop(Ticket{})
	if x.Load(0).Sessions != 1 || x.Reserved() != 1 {
		t.Fatalf("%+v", x.Load(0))
	}
	x.Expire(20)
	if x.Load(0) != (Load{}) || x.Reserved() != 0 {
		t.Fatalf("%+v", x.Load(0))
	}
	b := reserve(1, 30, 50) // in the memory of a
	x.Drop(a)
	if x.Reserved() != 1 {
		t.Fatal("an old ticket ended a new reservation")
	}
	reserve(1, 31, 51)
	x.Report(0, Load{Sessions: 5}, 30)
	if x.Load(0).Sessions != 6 {
		t.Fatalf("%+v: a report confirms what it shows", x.Load(0))
	}
	x.Drop(b)
	x.Remove("n000")
	if x.Reserved() != 0 || x.Len() != 1 {
		t.Fatal("a removed server's reservations stay")
	}
}

func TestSlowStart(t *testing.T) {
	for up, want := range map[time.Duration]float64{0: 0.1, time.Second: 0.1, 5 * time.Second: 0.5, 10 * time.Second: 1, time.Hour: 1} {
		if got := SlowStart(up, 10*time.Second); got != want {
			t.Errorf("%v: %v, want %v", up, got, want)
		}
	}
	if SlowStart(0, 0) != 1 {
		t.Error("without a window")
	}
}

func TestStickyForgets(t *testing.T) {
	s := NewSticky(2)
	s.Put("a", "x", 10)
	s.Put("b", "y", 10)
	if n, ok := s.Get("a", 9); !ok || n != "x" {
		t.Error("forgot early")
	}
	if _, ok := s.Get("a", 10); ok {
		t.Error("remembers beyond its time")
	}
	s.Put("a", "z", 20)
	s.Put("c", "y", 20)
	if _, ok := s.Get("b", 0); ok || s.Len() != 2 {
		t.Error("the oldest goes first")
	}
	if n, _ := s.Get("a", 15); n != "z" {
		t.Error("the newer counts")
	}
	for range 1000 {
		s.Put("a", "x", 30)
	}
	if s.Len() > 2 || len(s.queue) > 4 {
		t.Errorf("%d entries, %d in the queue", s.Len(), len(s.queue))
	}
}

func TestUnknownPolicy(t *testing.T) {
	_, err := NewIndex(Options{View: LeastLoad})
	var bad *PolicyError
	if !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
}

func TestJoinsInFlightAreAGate(t *testing.T) {
	x := index(t, Options{}, fleet(2)...)
	rng := rand.New(rand.NewPCG(1, 1))
	x.Report(0, Load{Joins: joinGate}, 0)
	x.Report(1, Load{EgressBPS: 5e8}, 0)
	req := ViewRequest{Name: alice, Carriers: []ID{0}}
	d, _ := x.Viewer(&req, rng)
	if d.ID != 1 {
		t.Errorf("%s, although others join in less", d.Reason())
	}
	if why := x.ExplainViewer(&req, &d); why[0].Why != ManyJoins {
		t.Errorf("%v", why)
	}
	x.Report(1, Load{Joins: joinGate - 1}, 0)
	x.Reserve(&Decision{ID: 1, Demand: Load{Joins: 1, Sessions: 1}}, time.Second, time.Minute)
	if x.Load(1).Joins != joinGate {
		t.Errorf("%+v", x.Load(1))
	}
	x.Expire(time.Second + joinLasts)
	if l := x.Load(1); l.Joins != joinGate-1 || l.Sessions != 1 {
		t.Errorf("%+v: a join in flight outlasts its time, or the session does not", l)
	}
	x.Report(1, Load{Joins: joinGate}, time.Second)
	if d, ok := x.Viewer(&req, rng); !ok || d.ID != 0 {
		t.Errorf("%v %s: a gate refuses nobody", ok, d.Reason())
	}
}
