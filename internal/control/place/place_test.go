package place

import (
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
		nodes[i] = server(fmt.Sprintf("n%03d", i))
	}
	return nodes
}

func streamName(i int) stream.Name { return stream.Name{App: "live", Stream: fmt.Sprint(i)} }

func TestLeastLoadFillsAnIdleFleetEvenly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	v := View{Nodes: fleet(10), Reserved: &Reservations{}}
	for range 1000 { // all within one report's age
		d, err := Publisher(&v, &PublishRequest{Name: alice}, rng)
		if err != nil {
			t.Fatal(err)
		}
		v.Reserved.Add(d.Node, d.Demand, time.Unix(1, 0))
	}
	for _, n := range v.Nodes {
		if p := v.Reserved.Of(n.Name).Publishers; p != 100 {
			t.Errorf("%s has %d of 1000 publishers", n.Name, p)
		}
	}
}

// The table of BALANCING.md, smaller: pulls near the fewest possible, load near the mean.
func TestPullAwareStaysNearTheBounds(t *testing.T) {
	const edges, streams, viewers = 40, 400, 20_000
	rng := rand.New(rand.NewPCG(3, 3))
	v := View{Nodes: fleet(edges)}
	index := map[string]int{}
	for i, n := range v.Nodes {
		index[n.Name] = i
	}
	weights, total := make([]float64, streams), 0.0
	for s := range weights {
		total += 1 / float64(s+1)
		weights[s] = total
	}
	carriers := make([]map[string]int, streams)
	type session struct {
		stream int
		node   string
	}
	var sessions []session
	arrive := func() {
		x, s := rng.Float64()*total, 0
		for weights[s] < x {
			s++
		}
		var names []string
		for i := range v.Nodes { // in order, so that the run repeats
			if carriers[s][v.Nodes[i].Name] > 0 {
				names = append(names, v.Nodes[i].Name)
			}
		}
		d, err := Viewer(&v, &ViewRequest{Name: streamName(s), BitrateBPS: 1e5, Carriers: names}, rng)
		if err != nil {
			t.Fatal(err)
		}
		if carriers[s] == nil {
			carriers[s] = map[string]int{}
		}
		carriers[s][d.Node]++
		l := &v.Nodes[index[d.Node]].Load
		l.EgressBPS, l.Sessions = l.EgressBPS+1e5, l.Sessions+1
		sessions = append(sessions, session{s, d.Node})
	}
	leave := func() {
		i := rng.IntN(len(sessions))
		x := sessions[i]
		sessions[i] = sessions[len(sessions)-1]
		sessions = sessions[:len(sessions)-1]
		if carriers[x.stream][x.node]--; carriers[x.stream][x.node] == 0 {
			delete(carriers[x.stream], x.node)
		}
		l := &v.Nodes[index[x.node]].Load
		l.EgressBPS, l.Sessions = l.EgressBPS-1e5, l.Sessions-1
	}
	for range viewers {
		arrive()
	}
	for range viewers {
		leave()
		arrive()
	}
	mean, most, pulls, fewest := float64(viewers)/edges, 0, 0, 0.0
	for _, n := range v.Nodes {
		most = max(most, n.Load.Sessions)
	}
	for s := range streams {
		pulls += len(carriers[s])
		expected := float64(viewers) / float64(s+1) / total
		if expected <= mean {
			fewest += 1 - math.Exp(-expected)
		} else {
			fewest += math.Ceil(expected / mean)
		}
	}
	over, extra := float64(most)/mean, float64(pulls)/fewest
	t.Logf("max/mean %.3f, pulls/fewest %.3f", over, extra)
	if over > 1.12 || extra > 1.12 {
		t.Errorf("max/mean %.3f, pulls/fewest %.3f", over, extra)
	}
}

func TestHashIsBoundedWhateverTheNames(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		v := View{Nodes: fleet(1 + rng.IntN(30))}
		for i := range v.Nodes {
			v.Nodes[i].Reported = false
		}
		index := map[string]int{}
		names := []string{}
		for i, n := range v.Nodes {
			index[n.Name] = i
			names = append(names, n.Name)
		}
		v.Ring = NewRing(names)
		streams := 1 + rng.IntN(50)
		for m := 1; m <= 1000; m++ {
			d, err := Viewer(&v, &ViewRequest{Name: streamName(rng.IntN(streams))}, rng)
			if err != nil {
				t.Fatal(err)
			}
			l := &v.Nodes[index[d.Node]].Load
			l.Sessions++
			if bound := int(math.Ceil((1 + epsilon) * float64(m) / float64(len(v.Nodes)))); l.Sessions > bound {
				t.Fatalf("seed %d: %d of %d sessions at one of %d servers, bound %d", seed, l.Sessions, m, len(v.Nodes), bound)
			}
		}
	}
}

func TestRingMovesOnlyTheShareOfTheNewcomer(t *testing.T) {
	names := []string{}
	for i := range 20 {
		names = append(names, fmt.Sprint("n", i))
	}
	before, after := NewRing(names[:19]), NewRing(names)
	room := func(string) bool { return true }
	moved, counts := 0, map[string]int{}
	const n = 20_000
	for i := range n {
		a, b := before.Pick(streamName(i), room), after.Pick(streamName(i), room)
		counts[b]++
		if a != b {
			moved++
			if b != "n19" {
				t.Fatalf("%d moved from %s to %s, which is not new", i, a, b)
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
	if (&Ring{}).Pick(alice, room) != "" || before.Pick(alice, func(string) bool { return false }) == "" {
		t.Error("edge cases")
	}
}

func TestReservationsEnd(t *testing.T) {
	var r Reservations
	a := r.Add("x", Load{EgressBPS: 0.1, Sessions: 1}, time.Unix(10, 0))
	r.Add("x", Load{EgressBPS: 0.2, Sessions: 1}, time.Unix(20, 0))
	r.Expire(time.Unix(9, 0))
	if r.Of("x").Sessions != 2 {
		t.Fatal("expired early")
	}
	r.Drop(a)
	r.Drop(a)
	if r.Of("x").Sessions != 1 || r.Len() != 1 {
		t.Fatalf("%+v", r.Of("x"))
	}
	r.Expire(time.Unix(20, 0))
	if r.Of("x") != (Load{}) || r.Len() != 0 {
		t.Fatalf("%+v", r.Of("x"))
	}
}

// 200 edges, a stream carried by three of them.
func BenchmarkViewerPullAware200(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	v := View{Nodes: fleet(200), Reserved: &Reservations{}}
	for i := range v.Nodes {
		v.Nodes[i].Load.EgressBPS = rng.Float64() * 1e8
	}
	req := ViewRequest{Name: alice, Carriers: []string{"n007", "n100", "n150"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Viewer(&v, &req, rng); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublisherLeastLoad10(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	v := View{Nodes: fleet(10), Reserved: &Reservations{}}
	req := PublishRequest{Name: alice}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Publisher(&v, &req, rng); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkViewerHashed200(b *testing.B) {
	v := View{Nodes: fleet(200)}
	names := []string{}
	for i := range v.Nodes {
		v.Nodes[i].Reported = false
		names = append(names, v.Nodes[i].Name)
	}
	v.Ring = NewRing(names)
	req := ViewRequest{Name: alice}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Viewer(&v, &req, nil); err != nil {
			b.Fatal(err)
		}
	}
}
