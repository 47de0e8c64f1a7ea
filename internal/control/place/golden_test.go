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

func candidate(name string, change ...func(*Candidate)) Candidate {
	c := Candidate{Name: name, Publishes: true, Serves: true, Reported: true}
	for _, f := range change {
		f(&c)
	}
	return c
}

func carrying(mbps float64) func(*Candidate) {
	return func(c *Candidate) { c.Load.EgressBPS = mbps * 1e6; c.Load.Sessions = int(mbps) }
}
func busyCPU(share float64) func(*Candidate) { return func(c *Candidate) { c.Load.CPU = share } }
func limit(k Capacity) func(*Candidate)      { return func(c *Candidate) { c.Capacity = k } }
func publishing(n int) func(*Candidate)      { return func(c *Candidate) { c.Load.Publishers = n } }
func weight(w float64) func(*Candidate)      { return func(c *Candidate) { c.Weight = w } }
func zone(z string) func(*Candidate)         { return func(c *Candidate) { c.Zone = z } }
func state(s State) func(*Candidate)         { return func(c *Candidate) { c.State = s } }
func edgeOnly(c *Candidate)                  { c.Publishes = false }
func silent(c *Candidate)                    { c.Reported = false }
func of(r Realm) func(*Candidate)            { return func(c *Candidate) { c.Realm = r } }

func index(t testing.TB, o Options, nodes ...Candidate) *Index {
	t.Helper()
	x, err := NewIndex(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range nodes {
		x.Set(c)
	}
	return x
}

func ids(x *Index, names ...string) []ID {
	var out []ID
	for _, n := range names {
		id, _ := x.Lookup(n)
		out = append(out, id)
	}
	return out
}

func TestDecisionsAreGolden(t *testing.T) {
	three := []Candidate{candidate("a", carrying(100)), candidate("b", carrying(200)), candidate("c", carrying(300))}
	with := func(c ...Candidate) []Candidate { return append(append([]Candidate{}, three...), c...) }
	mute := []Candidate{candidate("a", silent), candidate("b", silent), candidate("c", silent)}
	foreign := []Candidate{candidate("n", carrying(50)), candidate("s", carrying(70), of(Shared)), candidate("x", carrying(200), of(Foreign)),
		candidate("y", carrying(100), of(Foreign)), candidate("z", carrying(10), of(Foreign), limit(Capacity{Sessions: 10}))}
	type publish struct {
		PublishRequest
		sticky  string
		exclude []string
	}
	type view struct {
		ViewRequest
		carriers, exclude []string
		only              []string
		sticky            string
	}
	var got strings.Builder
	for _, c := range []struct {
		name  string
		o     Options
		nodes []Candidate
		// One of publish and view is asked, times times; the last is shown.
		publish *publish
		view    *view
		times   int
		before  func(*Index)
	}{
		{name: "publish: the least loaded", nodes: three},
		{name: "publish: what binds first counts", nodes: []Candidate{candidate("a", carrying(100), busyCPU(0.9)), candidate("b", carrying(200)), candidate("c", publishing(300))}},
		{name: "publish: a large server takes more", nodes: []Candidate{candidate("a", carrying(100), limit(Capacity{EgressBPS: 200e6})), candidate("b", carrying(200), limit(Capacity{EgressBPS: 10e9}))}},
		{name: "publish: so does a heavy one", nodes: []Candidate{candidate("a", carrying(100)), candidate("b", carrying(200), weight(3))}},
		{name: "publish: reservations count", nodes: three, before: func(x *Index) {
			for range 40 {
				x.Reserve(&Decision{ID: 0, Demand: Load{EgressBPS: 3e6, Sessions: 1, Publishers: 1}}, 1, time.Hour)
			}
		}},
		{name: "publish: until a report shows them", nodes: three, before: func(x *Index) {
			for range 40 {
				x.Reserve(&Decision{ID: 0, Demand: Load{EgressBPS: 3e6, Sessions: 1, Publishers: 1}}, 1, time.Hour)
			}
			x.Report(0, Load{EgressBPS: 100e6}, 1)
		}},
		{name: "publish: a processor's cost of a bit is learnt", nodes: three, before: func(x *Index) {
			x.Report(0, Load{EgressBPS: 50e6, CPU: 0.2}, 1)
		}, publish: &publish{PublishRequest: PublishRequest{BitrateBPS: 20e6}}},
		{name: "publish: back to where it was", nodes: three, publish: &publish{sticky: "c"}},
		{name: "publish: not back to what failed", nodes: three, publish: &publish{sticky: "c", exclude: []string{"c"}}},
		{name: "publish: roles, states, limits", nodes: []Candidate{candidate("a", edgeOnly), candidate("b", state(Down)), candidate("c", publishing(2), limit(Capacity{Publishers: 2})), candidate("d", carrying(800)), candidate("e", state(Drain)), candidate("f", state(Maint))}},
		{name: "publish: two drawn of many", nodes: with(candidate("d"), candidate("e")), o: Options{Deciders: 4}},
		{name: "publish: in the zone", nodes: with(candidate("d", carrying(700), zone("north"))), publish: &publish{PublishRequest: PublishRequest{Zone: "north"}}},
		{name: "publish: out of a full zone", nodes: with(candidate("d", carrying(840), zone("north"))), publish: &publish{PublishRequest: PublishRequest{Zone: "north"}}},
		{name: "publish: nobody", nodes: []Candidate{candidate("a", state(Down)), candidate("b", carrying(99), limit(Capacity{EgressBPS: 1e8}))}},
		{name: "publish: empty fleet"},
		{name: "publish: round robin, the fifth", nodes: three, o: Options{Publish: RoundRobin}, times: 5},
		{name: "publish: weighted, the fifth", nodes: []Candidate{candidate("a", weight(3)), candidate("b")}, o: Options{Publish: Weighted}, times: 5},
		{name: "publish: least connections", nodes: three, o: Options{Publish: LeastConnections}},
		{name: "publish: source hash", nodes: three, o: Options{Publish: SourceHash}, publish: &publish{PublishRequest: PublishRequest{Source: "192.0.2.7"}}},
		{name: "publish: no node takes it", nodes: foreign, publish: &publish{PublishRequest: PublishRequest{Foreign: true}}},
		{name: "publish: not back to a node that does not take it", nodes: foreign, publish: &publish{PublishRequest: PublishRequest{Foreign: true}, sticky: "n"}},
		{name: "view: the first", nodes: three, view: &view{}},
		{name: "view: where the stream is", nodes: []Candidate{candidate("a", carrying(100)), candidate("b", carrying(102)), candidate("c", carrying(101))}, view: &view{carriers: []string{"b"}}},
		{name: "view: not above the mean", nodes: three, view: &view{carriers: []string{"c"}}},
		{name: "view: the better of two carriers", nodes: three, view: &view{carriers: []string{"b", "a"}}},
		{name: "view: a carrier that is down", nodes: []Candidate{candidate("a", state(Down)), candidate("b")}, view: &view{carriers: []string{"a"}}},
		{name: "view: the second viewer joins the first", nodes: []Candidate{candidate("a", carrying(3)), candidate("b")}, view: &view{carriers: []string{"a"}}},
		{name: "view: the third goes elsewhere", nodes: []Candidate{candidate("a", carrying(6)), candidate("b")}, view: &view{carriers: []string{"a"}}},
		{name: "view: hashed without reports", nodes: mute, view: &view{}},
		{name: "view: hashed, failed one out", nodes: mute, view: &view{exclude: []string{"c"}}},
		{name: "view: at random", nodes: three, o: Options{View: Random}, view: &view{}},
		{name: "view: two choices", nodes: three, o: Options{View: TwoChoices}, view: &view{}},
		{name: "view: least connections", nodes: three, o: Options{View: LeastConnections}, view: &view{}},
		{name: "view: hash", nodes: three, o: Options{View: Hash}, view: &view{}},
		{name: "view: hash, bounded", nodes: three, o: Options{View: HashBounded}, view: &view{}},
		{name: "view: back to where the client was", nodes: three, view: &view{sticky: "c"}},
		{name: "view: only two have it", nodes: foreign, view: &view{ViewRequest: ViewRequest{Realm: Foreign}, only: []string{"x", "y"}}},
		{name: "view: the one that has it is full", nodes: foreign, view: &view{ViewRequest: ViewRequest{Realm: Foreign}, only: []string{"z"}}},
		{name: "view: back to the client's server, if that has it", nodes: foreign, view: &view{ViewRequest: ViewRequest{Realm: Foreign}, only: []string{"x"}, sticky: "y"}},
		{name: "view: whoever is foreign", nodes: foreign, view: &view{ViewRequest: ViewRequest{Realm: Foreign}}},
		{name: "view: whoever shares", nodes: foreign, view: &view{ViewRequest: ViewRequest{Realm: Shared}, carriers: []string{"s"}}},
		{name: "view: not foreign", nodes: foreign, view: &view{}},
		{name: "publish: foreign or not", nodes: foreign},
	} {
		x := index(t, c.o, c.nodes...)
		if c.before != nil {
			c.before(x)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		var line string
		for range max(c.times, 1) {
			var d Decision
			var ok bool
			var why func(*Decision) []Rejection
			if c.view != nil {
				req := c.view.ViewRequest
				req.Name, req.Carriers, req.Exclude = alice, ids(x, c.view.carriers...), ids(x, c.view.exclude...)
				req.Only = ids(x, c.view.only...)
				if c.view.sticky != "" {
					req.Sticky, req.HasSticky = ids(x, c.view.sticky)[0], true
				}
				d, ok = x.Viewer(&req, rng)
				why = func(d *Decision) []Rejection { return x.ExplainViewer(&req, d) }
			} else {
				var p publish
				if c.publish != nil {
					p = *c.publish
				}
				req := p.PublishRequest
				req.Name, req.Exclude = alice, ids(x, p.exclude...)
				if p.sticky != "" {
					req.Sticky, req.HasSticky = ids(x, p.sticky)[0], true
				}
				d, ok = x.Publisher(&req, rng)
				why = func(d *Decision) []Rejection { return x.ExplainPublisher(&req, d) }
			}
			if ok {
				line = (&Explanation{d, why(&d)}).Reason()
				x.Took(&d)
			} else {
				line = (&NoServerError{Rejected: why(nil)}).Error()
			}
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
