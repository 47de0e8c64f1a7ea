package fleet

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
)

// What other fronts have at a backend, they say.
func TestFrontsCountTogether(t *testing.T) {
	a := at("a")
	a.Capacity.Sessions = 10
	f, m := mixed(t, Options{Self: "f1"}, a)
	m.nodes = nil
	m.add("f1", "front").Placed = map[string]cluster.Placed{"a": {Sessions: 10}} // our own: counted here
	f2 := m.add("f2", "front")
	f2.Placed = map[string]cluster.Placed{"a": {Sessions: 9}}
	if c, err := f.Publisher(Request{Name: alice}); err != nil {
		t.Error(err)
	} else {
		c.Done(false)
	}
	f2.Placed = map[string]cluster.Placed{"a": {Sessions: 10}}
	time.Sleep(syncEvery)
	if c, err := f.Publisher(Request{Name: alice}); err == nil {
		t.Errorf("%+v, although it is full", c)
	}
	f.backends.Counters("a").Open(true)
	f.backends.Counters("a").Open(false)
	if got := f.Placed(); len(got) != 1 || got["a"] != (cluster.Placed{Sessions: 2, Publishers: 1}) {
		t.Errorf("the others hear of %v", got)
	}
}

// A backend that is asked for its load says so a while later than the fronts do, but knows who came past them.
func TestWhatFrontsSayAndWhatABackendSaysIsNotAddedUp(t *testing.T) {
	a := at("a")
	a.Capacity.Publishers, a.Load.Kind = 10, LoadNginx
	f, m := mixed(t, Options{Self: "f1"}, a)
	m.nodes = nil
	m.add("f1", "front")
	f2 := m.add("f2", "front")
	f2.Placed = map[string]cluster.Placed{"a": {Sessions: 4, Publishers: 4}}
	for _, c := range []struct{ polled, want, limit int }{{0, 4, 10}, {4, 4, 10}, {7, 7, 7}} {
		f.backends.SetLoad("a", place.Load{Sessions: c.polled, Publishers: c.polled}, nil)
		time.Sleep(syncEvery)
		f.Route(Request{Name: alice}, true)
		if m := f.known["a"]; f.index.Load(m.id).Publishers != c.want || m.limit != c.limit {
			t.Errorf("polled %d: counts as %d, of %d", c.polled, f.index.Load(m.id).Publishers, m.limit)
		}
	}
}

// While the store is away the others' word grows old; who is dead by then has nothing any more.
func TestAnOldWordIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := at("a")
		a.Capacity.Publishers = 1
		f, m := mixed(t, Options{Self: "f1"}, a)
		m.nodes = nil
		m.add("f2", "front").Placed = map[string]cluster.Placed{"a": {Sessions: 1, Publishers: 1}}
		time.Sleep(believeFor - time.Second)
		if c, err := f.Publisher(Request{Name: alice}); err == nil {
			t.Errorf("%+v, although it is full", c)
		}
		time.Sleep(time.Second)
		if _, err := f.Publisher(Request{Name: alice}); err != nil {
			t.Errorf("for ever full of what a front had once: %v", err)
		}
	})
}

// What is decided is told before it is there, and a publisher once the others have let it in.
func TestWhatIsDecidedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := at("a")
		a.Capacity.Publishers = 5
		var f *Fleet
		publishers := func(when string, want int) {
			t.Helper()
			if got := f.Placed()["a"]; got.Publishers != want || got.Sessions != want {
				t.Errorf("%s: %+v, want %d", when, got, want)
			}
		}
		f, m := mixed(t, Options{Self: "f1", Admit: func(server string, limit int, granted func()) error {
			if server != "a" || limit != 5 {
				t.Errorf("asked for %s, %d", server, limit)
			}
			publishers("not let in", 0)
			granted()
			publishers("let in", 1)
			return nil
		}}, a)
		m.nodes = nil
		c, err := f.Publisher(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		publishers("on its way", 1)
		time.Sleep(comeFor - time.Second)
		publishers("a slow one, on its way", 1)
		end := f.backends.Counters("a").Open(true)
		c.Done(true)
		c.Done(true)
		publishers("there", 1)
		end()
		publishers("gone", 0)

		if _, err := f.Publisher(Request{Name: alice}); err != nil { // whose media goes past the front
			t.Fatal(err)
		}
		publishers("on its way", 1)
		time.Sleep(comeFor)
		publishers("nobody says that it is there", 0)
	})
}

// Whom the others do not let in goes to another server, and is refused as at full ones if there is none.
func TestWhoIsNotLetInGoesElsewhere(t *testing.T) {
	a, b := at("a"), at("b")
	a.Capacity.Publishers, b.Capacity.Publishers = 5, 1000
	a.Weight = 100
	var f *Fleet
	var m *members
	asked := 0
	f, m = mixed(t, Options{Self: "f1", Admit: func(server string, _ int, granted func()) error {
		if server == "a" {
			asked++
			m.nodes[0].Placed = map[string]cluster.Placed{"a": {Sessions: 5, Publishers: 5}} // somebody was faster
			return &cluster.FullError{Server: server}
		}
		granted()
		return nil
	}}, a, b)
	m.nodes = nil
	m.add("f2", "front")
	c, err := f.Publisher(Request{Name: alice})
	if err != nil || c.Node != "b" || asked != 1 {
		t.Errorf("%+v %v, a was offered %d times", c, err, asked)
	}
	c.Done(false)
	f.backends.SetOperator("b", Maint)
	time.Sleep(syncEvery)
	_, err = f.Publisher(Request{Name: alice})
	var none *place.NoServerError
	if !errors.As(err, &none) || none.Cause() != place.AllFull {
		t.Errorf("%v", err)
	}
	m.nodes[0].Placed = nil
	f.o.Admit = func(server string, _ int, _ func()) error { asked++; return &cluster.FullError{Server: server} } // and nobody hears of it
	time.Sleep(syncEvery)
	asked = 0
	if _, err = f.Publisher(Request{Name: alice}); err == nil || asked > 2*admitTries {
		t.Errorf("%v after %d offers", err, asked)
	}
	if p := f.Placed(); len(p) != 0 {
		t.Errorf("in the end it has %v", p)
	}
}

// world is some fronts over the same servers, whose records reach each other after a delay.
type world struct {
	fronts []*Fleet
	nodes  []*members
	names  []string
}

func newWorld(t *testing.T, fronts int, servers ...Backend) *world {
	t.Helper()
	w := &world{}
	for i := range fronts {
		w.names = append(w.names, fmt.Sprint("f", i))
	}
	for i := range fronts {
		f, m := mixed(t, Options{Self: w.names[i]}, servers...)
		m.nodes = nil
		for _, n := range w.names {
			m.add(n, "front")
		}
		w.fronts, w.nodes = append(w.fronts, f), append(w.nodes, m)
	}
	return w
}

// tell brings each front's record to the others.
func (w *world) tell() {
	for i, f := range w.fronts {
		p := f.Placed()
		for _, m := range w.nodes {
			m.nodes[i].Placed, m.nodes[i].PlacedSeen = p, time.Now()
			for j := range m.nodes {
				m.nodes[j].LoadSeen = time.Now()
			}
		}
	}
}

// Two fronts, 200 joins within a second, servers of which some have less than others at the start: nobody goes
// where the others have just gone.
func TestTwoFrontsMakeNoHerd(t *testing.T) {
	for _, told := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var servers []Backend
			for i := range 10 {
				b := at(fmt.Sprint("s", i))
				b.Capacity = place.Capacity{EgressBPS: 10e9, Sessions: 200} // sessions bind first
				servers = append(servers, b)
			}
			w := newWorld(t, 2, servers...)
			open := map[string]int{}
			join := func(front int, c Choice) {
				w.fronts[front].backends.Counters(c.Node).Open(false)
				open[c.Node]++
				c.Done(true)
			}
			for i, s := range servers { // s0 has just come, the others have 40 sessions
				for n := range 40 {
					if i > 0 {
						w.fronts[n%2].backends.Counters(s.Name).Open(false)
						open[s.Name]++
					}
				}
			}
			w.tell()
			time.Sleep(syncEvery)
			began := time.Now()
			last := began
			for i := range 200 {
				time.Sleep(5 * time.Millisecond)
				if told && time.Since(last) >= 200*time.Millisecond {
					w.tell()
					last = time.Now()
				}
				c, err := w.fronts[i%2].Viewer(Request{Name: alice})
				if err != nil {
					t.Fatal(err)
				}
				join(i%2, c)
			}
			most, least, sum := 0, 1<<30, 0
			for _, s := range servers {
				most, least, sum = max(most, open[s.Name]), min(least, open[s.Name]), sum+open[s.Name]
			}
			t.Logf("told %v: %d to %d sessions, mean %.1f, s0 has %d", told, least, most, float64(sum)/10, open["s0"])
			if over := float64(most) / float64(sum) * 10; told && over > 1.10 {
				t.Errorf("the busiest has %.2f of the mean", over)
			}
		})
	}
}
