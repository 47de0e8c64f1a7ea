package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// mixed is a cluster of an origin and an edge, with backends beside them.
func mixed(t *testing.T, o Options, list ...Backend) (*Fleet, *members) {
	t.Helper()
	m := &members{pulls: map[stream.Name][]string{}, owner: map[stream.Name]cluster.StreamRecord{}}
	m.add("o1", "origin")
	m.add("e1", "edge")
	o.Backends = NewBackends(BackendOptions{})
	if bad := o.Backends.Replace("static", list); len(bad) > 0 {
		t.Fatal(bad)
	}
	f, err := NewWith(m, rng(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f, m
}

func shared(name string) Backend {
	b := at(name)
	b.Shared = true
	return b
}

func viewer(f *Fleet, exclude ...string) string {
	return served(f, Request{Name: alice, Exclude: exclude})
}

func served(f *Fleet, r Request) string {
	c, err := f.Viewer(r)
	if err != nil {
		return "nobody"
	}
	c.Done(false)
	return c.Node
}

func TestViewersGoWhereTheStreamIs(t *testing.T) {
	f, m := mixed(t, Options{}, at("x"), at("y"), shared("s1"), shared("s2"))
	on := func(owner, backend string) {
		m.owner[alice] = cluster.StreamRecord{Name: alice, Owner: owner, Facts: cluster.Facts{Backend: backend}}
	}
	on("o1", "")
	if got := viewer(f); got != "e1" {
		t.Errorf("a stream of the cluster: %s", got)
	}
	if got := served(f, Request{Name: alice, Never: []string{"e1"}}); got != "nobody" {
		t.Errorf("a stream of the cluster, its edge failed: %s", got)
	}
	on("front", "y")
	for range 10 {
		if got := viewer(f); got != "y" {
			t.Fatalf("a stream of y: %s", got)
		}
	}
	if got := viewer(f, "y"); got != "y" {
		t.Errorf("a stream of y, which failed: %s", got)
	}
	if got := served(f, Request{Name: alice, Never: []string{"y"}}); got != "nobody" {
		t.Errorf("a stream of y, which is out: %s", got)
	}
	on("front", "elsewhere") // another front's backend, unknown here
	if got := viewer(f); got != "nobody" {
		t.Errorf("a stream of who knows where: %s", got)
	}
	on("front", "s1")
	if got := viewer(f); got != "s1" {
		t.Errorf("a stream of s1: %s", got)
	}
	if got := viewer(f, "s1"); got != "s2" {
		t.Errorf("a stream of s1, which failed: %s", got)
	}
	delete(m.owner, alice)
	f.backends.SetLoad("x", place.Load{}, []stream.Name{alice})
	if got := viewer(f); got != "x" {
		t.Errorf("a stream that x is seen to have: %s", got)
	}
	on("front", "y") // the registry knows better
	if got := viewer(f); got != "y" {
		t.Errorf("a stream that has moved to y: %s", got)
	}
	delete(m.owner, alice)
	f.backends.SetLoad("x", place.Load{}, []stream.Name{})
	got := map[string]bool{}
	for range 200 {
		c, err := f.Viewer(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		got[c.Node] = true
		if !c.Foreign || c.Addr != c.Node+":1935" {
			t.Errorf("%+v", c)
		}
	}
	if len(got) != 4 || got["e1"] {
		t.Errorf("a stream that nobody is known to have: %v", got)
	}
	for _, name := range []string{"x", "y", "s1", "s2"} {
		f.backends.SetOperator(name, Maint)
	}
	time.Sleep(syncEvery)
	if got := viewer(f); got != "e1" {
		t.Errorf("with no backend there: %s", got)
	}
}

func TestPublishersGoToNodesAndBackendsAlike(t *testing.T) {
	f, m := mixed(t, Options{}, at("x"))
	m.nodes[0].Load.EgressBPS = 1e8
	c, err := f.Publisher(Request{Name: alice})
	if err != nil || c.Node != "x" || !c.Foreign || !strings.Contains(c.Why, "o1: more loaded") {
		t.Errorf("%+v %v", c, err)
	}
	f.backends.SetOperator("x", Drain)
	time.Sleep(syncEvery)
	if c, err = f.Publisher(Request{Name: alice}); err != nil || c.Node != "o1" || c.Foreign || !strings.Contains(c.Why, "x: draining") {
		t.Errorf("%+v %v", c, err)
	}
}

// One publisher a server: as soon as one is there the server is full, and no reservation counts it twice.
func TestCapacitiesOfBackendsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := at("a"), at("b")
		a.Capacity.Publishers, b.Capacity.Publishers = 1, 3
		f, m := mixed(t, Options{}, a, b)
		m.nodes = nil
		var ends []func()
		count := map[string]int{}
		for range 4 {
			c, err := f.Publisher(Request{Name: alice})
			if err != nil {
				t.Fatal(err)
			}
			count[c.Node]++
			ends = append(ends, f.backends.Counters(c.Node).Open(true))
			c.Done(true)
		}
		if count["a"] != 1 || count["b"] != 3 {
			t.Errorf("%v", count)
		}
		c, err := f.Publisher(Request{Name: alice})
		var none *place.NoServerError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), "a: publishers at capacity") {
			t.Fatalf("%+v %v", c, err)
		}
		for _, end := range ends {
			end()
		}
		time.Sleep(syncEvery)
		if _, err := f.Publisher(Request{Name: alice}); err != nil {
			t.Error(err)
		}
		time.Sleep(reserveFor)
		f.Route(Request{Name: alice}, true)
		if n := f.index.Reserved(); n != 0 {
			t.Errorf("%d reserved in the end", n)
		}
	})
}

func TestAPublisherOfAForeignServerGoesBackToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := mixed(t, Options{Sticky: 20 * time.Second}, at("x"), at("y"))
		m.nodes = nil
		f.backends.Counters("x").Open(true)
		m.owner[alice] = cluster.StreamRecord{Name: alice, Owner: "f1", Facts: cluster.Facts{Backend: "x"}}
		where := func() string {
			c, err := f.Publisher(Request{Name: alice})
			if err != nil {
				t.Fatal(err)
			}
			c.Done(false)
			return c.Node + ": " + string(f.Decisions(PastQuery{Limit: 1})[0].Why)
		}
		if got := where(); got != "x: "+string(place.WasThere) {
			t.Errorf("while the registry still has it: %s", got)
		}
		delete(m.owner, alice)
		f.Left(alice, "x")
		if got := where(); got != "x: "+string(place.WasThere) {
			t.Errorf("within the grace: %s", got)
		}
		time.Sleep(20 * time.Second)
		if got := where(); got != "y: "+string(place.LeastLoaded) {
			t.Errorf("after it: %s", got)
		}
	})
}

func TestAnOwnerThatIsSilentIsNotGoneBackTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{owner: map[stream.Name]cluster.StreamRecord{alice: {Name: alice, Owner: "a"}}}
		m.add("a", "origin").Load.EgressBPS = 1e8
		m.add("b", "origin")
		f := New(m, rng())
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "a" {
			t.Errorf("%+v %v", c, err)
		}
		time.Sleep(freshFor)
		m.nodes[1].LoadSeen = time.Now()
		if c, err := f.Publisher(Request{Name: alice}); err != nil || c.Node != "b" {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestAnAddressGoesBackForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{}
		for i := range 5 {
			m.add(fmt.Sprint("e", i), "edge").Load.EgressBPS = 1e8
		}
		f, err := NewWith(m, rng(), Options{SourceSticky: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(addr string, i int) Choice {
			c, err := f.Viewer(Request{Name: stream.Name{App: "live", Stream: fmt.Sprint(i)}, Source: netip.MustParseAddr(addr)})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := ask("192.0.2.1", 0)
		other := 0
		for i := range 20 {
			time.Sleep(30 * time.Second) // each session renews it
			if c := ask("::ffff:192.0.2.1", i); c.Node != first.Node || !strings.Contains(c.Why, string(place.HadClient)) {
				t.Fatalf("%d: %s, the first is at %s", i, c.Why, first.Node)
			}
			if ask(fmt.Sprint("192.0.2.", 10+i), 1000+i).Node != first.Node {
				other++
			}
		}
		if other == 0 {
			t.Error("all addresses go to one server")
		}
		net := ask("2001:db8::1", 1)
		if c := ask("2001:db8::ffff:2", 2); c.Node != net.Node {
			t.Error("another host of one IPv6 network is another client")
		}
		time.Sleep(time.Minute)
		if c := ask("192.0.2.1", 99); strings.Contains(c.Why, string(place.HadClient)) {
			t.Errorf("after its time: %s", c.Why)
		}
	})
}

func TestSessionsByHTTPGoWhereItIsSpoken(t *testing.T) {
	web, rtmp := at("web"), at("rtmp")
	web.RTMP, web.HTTP = "", "web:80"
	f, m := mixed(t, Options{}, web, rtmp)
	m.nodes = nil
	for range 5 {
		if c, err := f.Viewer(Request{Name: alice, HTTP: true}); err != nil || c.HTTP != "web:80" {
			t.Errorf("%+v %v", c, err)
		}
		if c, err := f.Viewer(Request{Name: alice}); err != nil || c.Addr != "rtmp:1935" {
			t.Errorf("%+v %v", c, err)
		}
	}
	_, err := f.Viewer(Request{Name: alice, HTTP: true, Never: []string{"web"}})
	if err == nil || !strings.Contains(err.Error(), "rtmp: "+string(noAddress)) || !strings.Contains(err.Error(), "web: has just failed") {
		t.Error(err)
	}
}

// A publisher that nodes cannot take goes to a foreign server, and a refusal is for those.
func TestPublishersThatNodesDoNotTake(t *testing.T) {
	web := at("web")
	web.HTTP = "web:80"
	f, m := mixed(t, Options{Sticky: time.Minute}, web)
	m.nodes[0].Addresses.HTTP = "o1:80"
	m.owner[alice] = cluster.StreamRecord{Name: alice, Owner: "o1"} // where it would go back to
	ask := Request{Name: alice, HTTP: true, Foreign: true}
	if c, err := f.Publisher(ask); err != nil || c.Node != "web" {
		t.Errorf("%+v %v", c, err)
	}
	f.backends.SetOperator("web", Drain)
	_, err := f.Route(ask, true)
	none, ok := errors.AsType[*place.NoServerError](err)
	if !ok || none.Cause() != place.AllDrained || !strings.Contains(err.Error(), "o1: "+string(place.WrongRole)) {
		t.Errorf("%v", err)
	}
}

func TestAServerThatComesBackWarmsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := mixed(t, Options{SlowStart: 20 * time.Second}, at("a"), at("b"))
		m.nodes = nil
		weight := func() float64 {
			f.Route(Request{Name: alice}, true)
			return f.known["b"].c.Weight
		}
		if w := weight(); w != 1 {
			t.Errorf("at the start of the front it weighs %v", w)
		}
		f.backends.SetHealth("b", Health{State: HealthDown})
		time.Sleep(time.Minute)
		weight()
		f.backends.SetHealth("b", Health{State: HealthUp})
		if w := weight(); w != 0.1 {
			t.Errorf("back from the dead it weighs %v", w)
		}
		time.Sleep(10 * time.Second)
		if w := weight(); w != 0.5 {
			t.Errorf("half way it weighs %v", w)
		}
		f.backends.SetOperator("b", Drain)
		time.Sleep(20 * time.Second)
		weight()
		f.backends.SetOperator("b", Ready)
		if w := weight(); w != 1 {
			t.Errorf("after a drain it weighs %v: it was there all the time", w)
		}
	})
}

// Who asks where a session would go may say whose, and where it comes to.
func TestRouteIsOfAnAddressAndAZone(t *testing.T) {
	a, b := at("a"), at("b")
	a.Zone, b.Zone = "here", "there"
	f, m := mixed(t, Options{Zone: "here", SourceSticky: time.Minute}, a, b)
	m.nodes = nil
	client := netip.MustParseAddr("192.0.2.1")
	where := func(r Request) string {
		t.Helper()
		r.Name = alice
		e, err := f.Route(r, true)
		if err != nil {
			t.Fatal(err)
		}
		return e.Node
	}
	if c, err := f.Publisher(Request{Name: stream.Name{App: "live", Stream: "bob"}, Source: client, Never: []string{"a"}}); err != nil || c.Node != "b" {
		t.Fatalf("%+v %v", c, err)
	}
	for _, c := range []struct {
		r    Request
		want string
	}{{Request{}, "a"}, {Request{Zone: "there"}, "b"}, {Request{Source: client}, "b"}} {
		if got := where(c.r); got != c.want {
			t.Errorf("%+v: %s, want %s", c.r, got, c.want)
		}
	}
}
