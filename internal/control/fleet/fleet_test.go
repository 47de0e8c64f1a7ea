package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// members is a cluster that tests write.
type members struct {
	nodes []cluster.Node
	pulls map[stream.Name][]string
	owner map[stream.Name]cluster.StreamRecord
}

func (m *members) Nodes() []cluster.Node        { return m.nodes }
func (m *members) Pulls(n stream.Name) []string { return m.pulls[n] }
func (m *members) Known(n stream.Name) (cluster.StreamRecord, bool) {
	r, ok := m.owner[n]
	return r, ok
}

func (m *members) add(name string, roles ...string) *cluster.Node {
	m.nodes = append(m.nodes, cluster.Node{NodeRecord: cluster.NodeRecord{Name: name, Roles: roles, State: cluster.StateUp,
		Addresses: cluster.Addresses{RTMP: name + ":1935"}}, LoadSeen: time.Now()})
	return &m.nodes[len(m.nodes)-1]
}

var alice = stream.Name{App: "live", Stream: "alice"}

func rng() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func TestChoosesAndSaysWhy(t *testing.T) {
	m := &members{}
	m.add("o1", "origin").Load.EgressBPS = 1e8
	m.add("o2", "origin")
	m.add("e1", "edge")
	f := New(m, rng())
	c, err := f.Publisher(Request{Name: alice})
	if err != nil || c.Node != "o2" || c.Addr != "o2:1935" || !strings.Contains(c.Why, "o1: more loaded") {
		t.Errorf("%+v %v", c, err)
	}
	if c, err = f.Viewer(Request{Name: alice}); err != nil || c.Node != "e1" {
		t.Errorf("%+v %v", c, err)
	}
	_, err = f.Viewer(Request{Name: alice, Never: []string{"e1"}})
	var none *place.NoServerError
	if !errors.As(err, &none) || len(none.Rejected) != 3 {
		t.Errorf("%v", err)
	}
	e, err := f.Route(Request{Name: alice}, true)
	if err != nil || e.Node != "o2" || len(e.Rejected) != 2 {
		t.Errorf("%+v %v", e, err)
	}
}

func TestReservationsEndWhenAReportShowsThemOrTheSessionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		m.add("a", "origin")
		m.add("b", "origin")
		f := New(m, rng())
		count := map[string]int{}
		var last Choice
		for range 10 {
			c, err := f.Publisher(Request{Name: alice})
			if err != nil {
				t.Fatal(err)
			}
			count[c.Node]++
			last = c
		}
		if count["a"] != 5 || f.index.Reserved() != 10 {
			t.Errorf("%v, %d reserved", count, f.index.Reserved())
		}
		last.Done(false)
		last.Done(false)
		if f.index.Reserved() != 9 {
			t.Errorf("%d reserved after one failed", f.index.Reserved())
		}
		time.Sleep(2 * time.Second)
		m.nodes[0].Load, m.nodes[0].LoadSeen = cluster.Load{Publishers: 5, Sessions: 5}, time.Now()
		f.Route(Request{Name: alice}, true)
		if n := f.index.Reserved(); n > 5 {
			t.Errorf("%d reserved after a report", n)
		}
		time.Sleep(reserveFor)
		f.Route(Request{Name: alice}, true)
		if n := f.index.Reserved(); n != 5 && n != 4 { // the one that failed was either's
			t.Errorf("%d reserved at who does not report", n)
		}
		m.nodes[1].LoadSeen = time.Now()
		f.Route(Request{Name: alice}, true)
		if n := f.index.Reserved(); n != 0 {
			t.Errorf("%d reserved in the end", n)
		}
	})
}

// Who has just failed is better than nobody; who is being left on purpose is not.
func TestWhoHasFailedIsAskedAgainIfThereIsNobodyElse(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(f *Fleet, m *members)
		want   string
	}{
		{"up", func(*Fleet, *members) {}, "only"},
		{"drained a moment ago", func(f *Fleet, _ *members) { f.backends.SetOperator("only", Drain) }, ""},
		{"in maintenance", func(f *Fleet, _ *members) { f.backends.SetOperator("only", Maint) }, ""},
		{"down", func(f *Fleet, _ *members) { f.backends.SetHealth("only", Health{State: HealthDown}) }, ""},
		{"gone", func(f *Fleet, _ *members) { f.backends.Drop("static", "only") }, ""},
		{"another came", func(_ *Fleet, m *members) { m.add("other", "origin") }, "other"},
		{"that is full", func(_ *Fleet, m *members) {
			n := m.add("other", "origin")
			n.Capacity.Publishers, n.Load.Publishers = 1, 1
		}, "only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, m := mixed(t, Options{}, at("only"))
			m.nodes = nil
			if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "only" {
				t.Fatalf("%+v %v", c, err)
			}
			tc.change(f, m) // within syncEvery of the last look
			c, err := f.Publisher(Request{Name: alice, Exclude: []string{"only"}})
			if c.Node != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("%q %v", c.Node, err)
			}
			if c, err = f.Publisher(Request{Name: alice, Exclude: []string{"only"}, Never: []string{"only", "other"}}); err == nil {
				t.Errorf("%+v in spite of Never", c)
			}
		})
	}
}

// Whose state is not looked up again, since too many ask, is not asked again.
func TestWhoHasFailedIsNotAskedAgainUnseen(t *testing.T) {
	f, m := mixed(t, Options{}, at("only"))
	m.nodes = nil
	for i := range 2 * explainUpTo {
		n := m.add(fmt.Sprint("o", i), "origin")
		n.Capacity.Publishers, n.Load.Publishers = 1, 1
	}
	f.Route(Request{Name: alice}, true)
	f.synced = 1 << 61 // a moment ago
	f.budget = budget{until: 1 << 62}
	f.backends.SetOperator("only", Drain)
	if c, err := f.Publisher(Request{Name: alice, Exclude: []string{"only"}}); err == nil {
		t.Errorf("%+v", c)
	}
}

// While the store is away nobody reports. What each server said last is as it was, so only what is
// decided since keeps the fleet even.
func TestFrozenReportsMakeNoHerd(t *testing.T) {
	for _, o := range []Options{{}, {View: place.LeastConnections, Publish: place.LeastConnections}, {View: place.HashBounded}} {
		for _, publish := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				m := &members{}
				had, weight, got := map[string]float64{}, map[string]float64{}, map[string]float64{}
				for i := range 10 {
					n := m.add(fmt.Sprint("n", i), "origin", "edge")
					n.Load.Sessions = 60
					if i == 3 {
						n.Load.Sessions = 0
					}
					n.Load.Publishers = n.Load.Sessions
					n.Load.EgressBPS, n.Load.IngressBPS = 3e6*float64(n.Load.Sessions), 3e6*float64(n.Load.Sessions)
					n.Weight = 1
					if i%2 == 1 && o.View != place.HashBounded { // which knows no weights
						n.Weight = 2
					}
					had[n.Name], weight[n.Name] = float64(n.Load.Sessions), n.Weight
				}
				f, err := NewWith(m, rng(), o)
				if err != nil {
					t.Fatal(err)
				}
				ask := f.Viewer
				if publish {
					ask = f.Publisher
				}
				for i := range 10_000 {
					c, err := ask(Request{Name: stream.Name{App: "live", Stream: fmt.Sprint(i)}})
					if err != nil {
						t.Fatal(err)
					}
					c.Done(true)
					got[c.Node]++
					time.Sleep(10 * time.Millisecond)
				}
				var all, weights float64
				for name := range had {
					all += had[name] + got[name]
					weights += weight[name]
				}
				for name := range had {
					if x := (had[name] + got[name]) / weight[name] / (all / weights); x > 1.1 && !(publish && o.View == place.HashBounded) {
						t.Errorf("%v, publishers %v: %s has %.2f of the mean", o.View, publish, name, x)
					}
				}
			})
		}
	}
}

// What nobody reports the end of must not make a server full for good.
func TestFrozenReportsFillNoCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		n := m.add("a", "edge")
		n.Capacity.Sessions, n.Load.Sessions = 20, 10
		f := New(m, rng())
		place := func() error { _, err := f.Viewer(Request{Name: alice}); return err }
		for range 10 {
			if err := place(); err != nil {
				t.Fatal(err)
			}
		}
		if place() == nil {
			t.Fatal("one more than it takes")
		}
		time.Sleep(reserveFor)
		if err := place(); err != nil {
			t.Errorf("still full: %v", err)
		}
	})
}

func TestNodesComeAndGoAndDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		f := New(m, rng())
		if _, err := f.Publisher(Request{Name: alice}); err == nil {
			t.Fatal("an empty fleet took a publisher")
		}
		m.add("a", "origin") // within syncEvery of the last look
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "a" {
			t.Fatalf("%+v %v", c, err)
		}
		m.add("b", "origin")
		m.nodes[0].State = cluster.StateDraining
		time.Sleep(syncEvery)
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "b" || !strings.Contains(c.Why, "a: draining") {
			t.Fatalf("%+v %v", c, err)
		}
		m.nodes = m.nodes[1:]
		time.Sleep(syncEvery)
		if e, err := f.Route(Request{Name: alice}, true); err != nil || len(e.Rejected) != 0 {
			t.Fatalf("%+v %v", e, err)
		}
	})
}

func TestASecondViewerJoinsThePullThatTheFirstBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		for i := range 20 {
			m.add(fmt.Sprint("e", i), "edge").Load.EgressBPS = 3e8
		}
		f := New(m, rng())
		first, err := f.Viewer(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if c, err := f.Viewer(Request{Name: alice}); err != nil || c.Node != first.Node {
				t.Fatalf("%+v %v, the first is at %s", c, err, first.Node)
			}
		}
		time.Sleep(pullSeen) // no pull came of it
		e, err := f.Route(Request{Name: alice}, false)
		if err != nil || e.Why != place.NewPull || len(f.recent.streams) != 0 {
			t.Errorf("%+v %v", e, err)
		}
	})
}

func TestAPublisherGoesBackWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		m.add("a", "origin").Load.EgressBPS = 5e8
		m.add("b", "origin")
		f := New(m, rng())
		f.Left(alice, "a")
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "a" {
			t.Errorf("%+v %v", c, err)
		}
		if c, err := f.Publisher(Request{Name: alice, Exclude: []string{"a"}}); err != nil || c.Node != "b" {
			t.Errorf("%+v %v", c, err)
		}
		time.Sleep(DefaultSticky)
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "b" {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestTheOwnZoneIsPreferred(t *testing.T) {
	m := &members{}
	m.add("a", "origin").Zone = "south"
	n := m.add("b", "origin")
	n.Zone, n.Load.EgressBPS = "north", 5e8
	f, err := NewWith(m, rng(), Options{Zone: "north"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "b" || !strings.Contains(c.Why, "a: in another zone") {
		t.Errorf("%+v %v", c, err)
	}
}

func TestANewServerWarmsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		m.add("a", "origin").Load.EgressBPS = 3e8
		f, err := NewWith(m, rng(), Options{SlowStart: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		f.Route(Request{Name: alice}, true)
		time.Sleep(20 * time.Second)
		m.add("b", "origin").Load.EgressBPS = 6e7 // as loaded as a, for a fifth of its weight
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "a"}, {10 * time.Second, "b"}} {
			time.Sleep(step.after)
			if e, err := f.Route(Request{Name: alice}, true); err != nil || e.Node != step.want {
				t.Errorf("after %v: %s %v, want %s", step.after, e.Reason(), err, step.want)
			}
		}
		if _, err := NewWith(m, rng(), Options{View: "best"}); err == nil {
			t.Error("took an unknown policy")
		}
	})
}

func BenchmarkViewer1000(b *testing.B) {
	m := &members{pulls: map[stream.Name][]string{alice: {"e7", "e77"}}}
	for i := range 1000 {
		m.add(fmt.Sprint("e", i), "edge")
	}
	f := New(m, rng())
	b.ReportAllocs()
	for b.Loop() {
		c, err := f.Viewer(Request{Name: alice})
		if err != nil {
			b.Fatal(err)
		}
		c.Done(false)
	}
}
