package place

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"weir/internal/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the golden decisions anew")

var alice = stream.Name{App: "live", Stream: "alice"}

func server(name string, change ...func(*Candidate)) Candidate {
	c := Candidate{Name: name, Up: true, Publishes: true, Serves: true, Reported: true}
	for _, f := range change {
		f(&c)
	}
	return c
}

func egress(mbps float64) func(*Candidate) {
	return func(c *Candidate) { c.Load.EgressBPS = mbps * 1e6; c.Load.Sessions = int(mbps) }
}
func cpu(share float64) func(*Candidate) { return func(c *Candidate) { c.Load.CPU = share } }
func limit(k Capacity) func(*Candidate)  { return func(c *Candidate) { c.Capacity = k } }
func publishers(n int) func(*Candidate)  { return func(c *Candidate) { c.Load.Publishers = n } }
func down(c *Candidate)                  { c.Up = false }
func edgeOnly(c *Candidate)              { c.Publishes = false }
func silent(c *Candidate)                { c.Reported = false }

func TestDecisionsAreGolden(t *testing.T) {
	busy := &Reservations{}
	for range 40 {
		busy.Add("a", Load{EgressBPS: 3e6, Sessions: 1, Publishers: 1}, time.Unix(9, 0))
	}
	pub := func(v View, r PublishRequest) func(*rand.Rand) (Decision, error) {
		r.Name = alice
		return func(rng *rand.Rand) (Decision, error) { return Publisher(&v, &r, rng) }
	}
	view := func(v View, r ViewRequest) func(*rand.Rand) (Decision, error) {
		r.Name = alice
		return func(rng *rand.Rand) (Decision, error) { return Viewer(&v, &r, rng) }
	}
	ab := []Candidate{server("a", egress(100)), server("b", egress(200)), server("c", egress(300))}
	var got strings.Builder
	for _, c := range []struct {
		name   string
		decide func(*rand.Rand) (Decision, error)
	}{
		{"publish: the least loaded", pub(View{Nodes: ab}, PublishRequest{})},
		{"publish: what binds first counts", pub(View{Nodes: []Candidate{server("a", egress(100), cpu(0.9)), server("b", egress(200)), server("c", publishers(300))}}, PublishRequest{})},
		{"publish: a large server takes more", pub(View{Nodes: []Candidate{server("a", egress(100), limit(Capacity{EgressBPS: 200e6})), server("b", egress(200), limit(Capacity{EgressBPS: 10e9}))}}, PublishRequest{})},
		{"publish: reservations count", pub(View{Nodes: ab, Reserved: busy}, PublishRequest{})},
		{"publish: back to where it was", pub(View{Nodes: ab}, PublishRequest{Sticky: "c"})},
		{"publish: not back to what failed", pub(View{Nodes: ab}, PublishRequest{Sticky: "c", Exclude: []string{"c"}})},
		{"publish: roles, states, limits", pub(View{Nodes: []Candidate{server("a", edgeOnly), server("b", down), server("c", publishers(2), limit(Capacity{Publishers: 2})), server("d", egress(800))}}, PublishRequest{})},
		{"publish: two drawn of many", pub(View{Nodes: append(ab, server("d"), server("e")), Deciders: 4}, PublishRequest{})},
		{"publish: nobody", pub(View{Nodes: []Candidate{server("a", down), server("b", egress(99), limit(Capacity{EgressBPS: 1e8}))}}, PublishRequest{})},
		{"publish: empty fleet", pub(View{}, PublishRequest{})},
		{"view: the first", view(View{Nodes: ab}, ViewRequest{})},
		{"view: where the stream is", view(View{Nodes: []Candidate{server("a", egress(100)), server("b", egress(102)), server("c", egress(101))}}, ViewRequest{Carriers: []string{"b"}})},
		{"view: not above the mean", view(View{Nodes: ab}, ViewRequest{Carriers: []string{"c"}})},
		{"view: the better of two carriers", view(View{Nodes: ab}, ViewRequest{Carriers: []string{"b", "a"}})},
		{"view: a carrier that is down", view(View{Nodes: []Candidate{server("a", down), server("b")}}, ViewRequest{Carriers: []string{"a"}})},
		{"view: the second viewer joins the first", view(View{Nodes: []Candidate{server("a", egress(3)), server("b")}}, ViewRequest{Carriers: []string{"a"}})},
		{"view: the third goes elsewhere", view(View{Nodes: []Candidate{server("a", egress(6)), server("b")}}, ViewRequest{Carriers: []string{"a"}})},
		{"view: hashed without reports", view(View{Nodes: []Candidate{server("a", silent), server("b", silent), server("c", silent)}}, ViewRequest{})},
		{"view: hashed, failed one out", view(View{Nodes: []Candidate{server("a", silent), server("b", silent), server("c", silent)}}, ViewRequest{Exclude: []string{"c"}})},
	} {
		d, err := c.decide(rand.New(rand.NewPCG(1, 2)))
		line := d.Reason()
		if err != nil {
			line = err.Error()
		}
		fmt.Fprintf(&got, "%s\n\t%s\n", c.name, line)
	}
	const file = "testdata/decisions.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("decisions differ from %s (-rewrite writes them anew):\n%s", file, got.String())
	}
}
