package place

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"weir/internal/stream"
)

// shape is a running fleet: E edges, S streams of Zipf's audience, each carried by as many edges as it
// needs.
type shape struct {
	x       *Index
	rng     *rand.Rand
	reqs    []ViewRequest // drawn by audience
	streams []stream.Name
}

func newShape(tb testing.TB, edges, streams int, o Options) *shape {
	s := &shape{x: index(tb, o, fleet(edges)...), rng: rand.New(rand.NewPCG(1, 1))}
	const perEdge = 10_000
	weights, total := make([]float64, streams), 0.0
	for i := range weights {
		s.streams = append(s.streams, streamName(i))
		total += 1 / float64(i+1)
		weights[i] = total
	}
	for id := range ID(edges) {
		n := perEdge * (90 + s.rng.IntN(20)) / 100
		s.x.Set(Candidate{Name: s.x.Name(id), Serves: true, Publishes: true, Reported: true, Capacity: Capacity{EgressBPS: 40e9, Sessions: 20_000},
			Load: Load{EgressBPS: float64(n) * 3e6, Sessions: n}})
	}
	carriers := make([][]ID, streams)
	for i := range streams {
		for range 1 + int(float64(perEdge*edges)/total/float64(i+1)/perEdge) {
			carriers[i] = append(carriers[i], ID(s.rng.IntN(edges)))
		}
	}
	for range 1 << 16 {
		i, _ := slices.BinarySearch(weights, s.rng.Float64()*total)
		s.reqs = append(s.reqs, ViewRequest{Name: s.streams[i], BitrateBPS: 3e6, Carriers: carriers[i]})
	}
	return s
}

// decide is what a viewer costs a balancer: the decision and its reservation.
func (s *shape) decide(tb testing.TB, i int) {
	d, ok := s.x.Viewer(&s.reqs[i%len(s.reqs)], s.rng)
	if !ok {
		tb.Fatal("nobody")
	}
	now := time.Duration(i)
	s.x.Reserve(&d, now, now+5000)
	s.x.Expire(now)
}

func TestDecisionsAllocateNothing(t *testing.T) {
	for _, p := range ViewerPolicies() {
		s := newShape(t, 100, 1000, Options{View: p})
		i := 0
		for ; i < 20_000; i++ {
			s.decide(t, i)
		}
		if n := testing.AllocsPerRun(5000, func() { s.decide(t, i); i++ }); n != 0 {
			t.Errorf("%s: %v allocations a decision", p, n)
		}
	}
	for _, p := range PublisherPolicies() {
		x := index(t, Options{Publish: p}, fleet(100)...)
		rng := rand.New(rand.NewPCG(1, 1))
		x.Set(candidate("x", of(Foreign)))
		for _, req := range []PublishRequest{{Name: alice, Source: "192.0.2.1"}, {Name: alice, Source: "192.0.2.1", Foreign: true}} {
			if n := testing.AllocsPerRun(1000, func() { x.Publisher(&req, rng) }); n > 0.01 {
				t.Errorf("%s: %v allocations a decision", p, n)
			}
		}
	}
}

// The shape of the largest fleet: 1,000 edges, 100,000 streams, 10 M viewers. p50 and p99 are of
// single decisions with their reservations, the clock's own cost taken off.
func BenchmarkViewer1000Edges100kStreams(b *testing.B) {
	for _, p := range ViewerPolicies() {
		b.Run(string(p), func(b *testing.B) {
			s := newShape(b, 1000, 100_000, Options{View: p})
			for i := range 20_000 {
				s.decide(b, i)
			}
			took := make([]time.Duration, 0, 1<<20)
			var clock time.Duration
			for range 1000 {
				t := time.Now()
				clock += time.Since(t)
			}
			b.ReportAllocs()
			i := 20_000
			for b.Loop() {
				t := time.Now()
				s.decide(b, i)
				if d := time.Since(t) - clock/1000; len(took) < cap(took) {
					took = append(took, d)
				}
				i++
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
		})
	}
}

func BenchmarkPublisher(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := index(b, Options{}, fleet(n)...)
			rng := rand.New(rand.NewPCG(1, 1))
			req := PublishRequest{Name: alice}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d, ok := x.Publisher(&req, rng)
				if !ok {
					b.Fatal("nobody")
				}
				x.Reserve(&d, time.Duration(i), time.Duration(i+500))
				x.Expire(time.Duration(i))
			}
		})
	}
}
