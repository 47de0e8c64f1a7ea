package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"weir/internal/control/place"
	"weir/internal/stream"
)

func TestPastDecisionsAreExplained(t *testing.T) {
	m := &members{}
	for i := range 20 {
		m.add(fmt.Sprintf("o%02d", i), "origin").Load.EgressBPS = float64(i) * 1e7
	}
	m.add("e1", "edge")
	f := New(m, rng())
	c, err := f.Publisher(Request{Name: alice, Source: netip.MustParseAddr("192.0.2.1"), Exclude: []string{"o00"}})
	if err != nil {
		t.Fatal(err)
	}
	c.Done(false)
	bob := stream.Name{App: "live", Stream: "bob"}
	c, _ = f.Viewer(Request{Name: bob})
	c.Done(true)
	c.Done(false) // once said, it stays
	f.Viewer(Request{Name: bob, Never: []string{"e1"}})
	all := f.Decisions(PastQuery{})
	if len(all) != 3 || all[0].Outcome != Refused || all[1].Outcome != Took || all[2].Outcome != DidNot || all[2].Seq != 1 {
		t.Fatalf("%+v", all)
	}
	p := all[2]
	if p.Server != "o01" || p.Name != alice || !p.Publish || p.Source.String() != "192.0.2.1" || p.Brief || len(p.Near) != explainUpTo ||
		p.Near[0].Node != "o02" || p.Near[0].Why != place.MoreLoaded {
		t.Errorf("%+v", p)
	}
	n := len(p.Near)
	for _, r := range p.Rest {
		n += r.Count
	}
	if n != 20 {
		t.Errorf("%d others are accounted for", n)
	}
	if !strings.Contains(all[0].Reason(), "e1: has just failed") {
		t.Error(all[0].Reason())
	}
	for _, q := range []struct {
		q    PastQuery
		want int
	}{
		{PastQuery{Stream: "bob"}, 2}, {PastQuery{App: "vod"}, 0}, {PastQuery{Publish: new(true)}, 1}, {PastQuery{Server: "e1"}, 1},
		{PastQuery{Outcome: Refused}, 1}, {PastQuery{Before: 3}, 2}, {PastQuery{Limit: 1}, 1},
	} {
		if got := len(f.Decisions(q.q)); got != q.want {
			t.Errorf("%+v: %d, want %d", q.q, got, q.want)
		}
	}
}

func TestThePastIsBounded(t *testing.T) {
	m := &members{}
	m.add("a", "edge")
	f := New(m, rng())
	var first Choice
	for i := range pastSize + 10 {
		c, err := f.Viewer(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = c
			continue
		}
		c.Done(false)
	}
	first.Done(false) // forgotten, but its reservation is not
	all := f.Decisions(PastQuery{})
	if len(all) != pastSize || all[0].Seq != pastSize+10 || all[pastSize-1].Seq != 11 {
		t.Errorf("%d from %d to %d", len(all), all[len(all)-1].Seq, all[0].Seq)
	}
	if n := f.index.Reserved(); n != 0 {
		t.Errorf("%d reserved", n)
	}
}

// In a large fleet explanations have a budget; decisions do not.
func TestExplanationsOfALargeFleetAreRationed(t *testing.T) {
	m := &members{}
	for i := range 1000 {
		m.add(fmt.Sprint("e", i), "edge")
	}
	f := New(m, rng())
	f.budget = budget{until: 1 << 62, left: 3000}
	for range 5 {
		f.Viewer(Request{Name: alice})
	}
	brief := 0
	for _, p := range f.Decisions(PastQuery{}) {
		if p.Brief {
			brief++
		}
		if p.Server == "" || p.Why == "" {
			t.Errorf("%+v", p)
		}
	}
	if brief != 2 {
		t.Errorf("%d are brief", brief)
	}
}

// Where all is full every client is refused, and none of them may cost a look at everybody.
func TestRefusalsAreRationed(t *testing.T) {
	m := &members{}
	for i := range 1000 {
		n := m.add(fmt.Sprint("e", i), "edge")
		n.Capacity.Sessions, n.Load.Sessions = 1, 1
	}
	f := New(m, rng())
	f.Route(Request{Name: alice}, false)
	f.budget = budget{until: 1 << 62, left: 6500}
	f.synced = 1 << 61 // no look at the members but for what the budget pays
	brief := 0
	for range 20 {
		_, err := f.Viewer(Request{Name: alice})
		var none *place.NoServerError
		if !errors.As(err, &none) || none.Cause() != place.AllFull || !strings.Contains(none.ForClient(), "all servers are full") {
			t.Fatal(err)
		}
		if len(none.Rejected) > explainUpTo || len(err.Error()) > 1000 {
			t.Errorf("%d are named in %d bytes", len(none.Rejected), len(err.Error()))
		}
		if none.Brief != "" {
			brief++
		}
	}
	all := f.Decisions(PastQuery{})
	if brief != 17 || !all[0].Brief || all[len(all)-1].Brief || !strings.Contains(all[0].Reason(), "all servers are full") {
		t.Errorf("%d of 20 are brief; the last: %s", brief, all[0].Reason())
	}
}

func TestWhyNobody(t *testing.T) {
	f, m := mixed(t, Options{}, at("x"), at("y"))
	m.nodes = nil
	why := func() place.Cause {
		_, err := f.Publisher(Request{Name: alice, Never: []string{"n"}})
		var none *place.NoServerError
		if !errors.As(err, &none) {
			t.Fatal(err)
		}
		return none.Cause()
	}
	f.backends.SetOperator("x", Drain)
	f.backends.SetOperator("y", Maint)
	if got := why(); got != place.AllDrained {
		t.Error(got)
	}
	f.backends.SetOperator("y", Ready)
	f.backends.SetHealth("y", Health{State: HealthDown})
	if got := why(); got != place.NoneHealthy {
		t.Error(got)
	}
	n := m.add("n2", "origin")
	n.Capacity.Publishers, n.Load.Publishers = 1, 1
	if got := why(); got != place.AllFull {
		t.Error(got)
	}
	m.nodes = nil
	f.backends.Replace("static", nil)
	if got := why(); got != place.NoServers {
		t.Error(got)
	}
	m.add("e", "edge")
	if got := why(); got != place.NoneTakes {
		t.Error(got)
	}
}

func BenchmarkRefused1000(b *testing.B) {
	m := &members{}
	for i := range 1000 {
		n := m.add(fmt.Sprint("e", i), "edge")
		n.Capacity.Sessions, n.Load.Sessions = 1, 1
	}
	f := New(m, rng())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Viewer(Request{Name: alice}); err == nil {
			b.Fatal("placed")
		}
	}
}
