package fleet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"weir/internal/control/place"
	"weir/internal/stream"
)

func at(name string) Backend {
	return Backend{Name: name, RTMP: name + ":1935", Publishes: true, Serves: true}
}

func named(b *Backends) string {
	var out []string
	for _, s := range b.List() {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func TestAViewReplacesTheOneBefore(t *testing.T) {
	b := NewBackends(BackendOptions{})
	b.Replace("x", []Backend{at("a"), at("b")})
	one, _ := b.Get("a")
	one.Counters.Total.Add(7)
	b.SetHealth("a", Health{State: HealthDown, Reason: "gone"})
	changed := at("a")
	changed.HTTP = "a:8080"
	if bad := b.Replace("x", []Backend{changed, at("c")}); len(bad) > 0 || named(b) != "a c" {
		t.Fatalf("%s %v", named(b), bad)
	}
	now, _ := b.Get("a")
	if now.ID != one.ID || now.Counters != one.Counters || now.HTTP != "a:8080" || now.State() != place.Down {
		t.Errorf("%+v", now)
	}
	b.Replace("x", nil)
	b.Replace("x", []Backend{at("a")})
	if again, _ := b.Get("a"); again.ID == one.ID || again.Counters.Total.Load() != 0 || again.State() != place.Up {
		t.Errorf("%+v", again)
	}
}

func TestANameIsOneBackends(t *testing.T) {
	node := true
	b := NewBackends(BackendOptions{Node: func(name string) bool { return node && name == "n" }})
	b.Replace("x", []Backend{at("a")})
	bad := b.Replace("y", []Backend{at("a"), at("n"), at("b"), {Name: "nowhere"}, {}})
	if named(b) != "a b" || len(bad) != 4 {
		t.Fatalf("%s %v", named(b), bad)
	}
	for _, want := range []string{`backend "a" of y: x has the name`, `backend "n" of y: a node has the name`, `backend "nowhere" of y: it has no address`, `it has no name`} {
		if !slices.ContainsFunc(bad, func(err error) bool { return strings.Contains(err.Error(), want) }) {
			t.Errorf("%v lack %q", bad, want)
		}
	}
	// Who waits for a name gets it when it becomes free, from a source or a node.
	b.Replace("x", nil)
	node = false
	b.Sample()
	if s, _ := b.Get("a"); named(b) != "a b n" || s.Source != "y" {
		t.Errorf("%s, a is of %s", named(b), s.Source)
	}
}

func TestWhatAnOperatorSetOutlivesItsBackend(t *testing.T) {
	b := NewBackends(BackendOptions{})
	b.Replace("x", []Backend{at("a")})
	if err := b.SetOperator("a", Drain); err != nil {
		t.Fatal(err)
	}
	if err := b.SetWeight("a", 3); err != nil {
		t.Fatal(err)
	}
	b.Replace("x", nil)
	b.Replace("x", []Backend{at("a")})
	if s, _ := b.Get("a"); s.State() != place.Drain || s.Weight != 3 || !s.WeightSet {
		t.Errorf("%+v", s)
	}
	b.ResetWeight("a")
	b.SetOperator("a", Ready)
	if s, _ := b.Get("a"); s.Weight != 1 || s.State() != place.Up || len(b.kept) != 0 {
		t.Errorf("%+v, kept %v", s, b.kept)
	}
	var unknown *UnknownError
	if err := b.SetOperator("z", Drain); !errors.As(err, &unknown) {
		t.Error(err)
	}
	for _, w := range []float64{0, -1, 257} {
		if b.SetWeight("a", w) == nil {
			t.Errorf("took the weight %v", w)
		}
	}
}

func TestStatesInOrderOfWeight(t *testing.T) {
	b := NewBackends(BackendOptions{})
	b.Replace("x", []Backend{at("a")})
	for _, step := range []struct {
		do   func()
		want place.State
	}{
		{func() { b.SetOperator("a", Drain) }, place.Drain},
		{func() { b.SetHealth("a", Health{State: HealthDown}) }, place.Down},
		{func() { b.SetOperator("a", Maint) }, place.Maint},
		{func() { b.SetOperator("a", Ready) }, place.Down},
		{func() { b.SetHealth("a", Health{State: HealthUp}) }, place.Up},
	} {
		step.do()
		if s, _ := b.Get("a"); s.State() != step.want {
			t.Errorf("%v, want %v", s.State(), step.want)
		}
	}
}

func TestFollowersHearOfEveryChangeOnce(t *testing.T) {
	b := NewBackends(BackendOptions{})
	b.Replace("x", []Backend{at("a")})
	c := b.Changes()
	told := func() string {
		var out []string
		for _, ch := range c.Next() {
			out = append(out, fmt.Sprintf("%s:%b", ch.Status.Name, ch.What))
		}
		return strings.Join(out, " ")
	}
	if got := told(); got != fmt.Sprintf("a:%b", Added) {
		t.Error(got)
	}
	<-c.C()
	b.SetHealth("a", Health{State: HealthDown})
	b.SetHealth("a", Health{State: HealthDown, Reason: "again"})
	b.SetOperator("a", Drain)
	b.SetWeight("a", 2)
	b.Replace("x", []Backend{at("a"), at("b")})
	if got := told(); got != fmt.Sprintf("a:%b b:%b", HealthMoved|OperatorSet|WeightChanged, Added) {
		t.Error(got)
	}
	b.Replace("x", []Backend{at("a"), at("b")}) // the same
	b.Replace("y", []Backend{at("c")})
	b.Replace("y", nil) // came and went unseen
	b.Replace("x", []Backend{at("b")})
	if got := told(); got != fmt.Sprintf("a:%b", Removed) {
		t.Error(got)
	}
	c.Close()
	b.Replace("x", nil)
	if got := told(); got != "" {
		t.Error(got)
	}
}

func TestStreamsAreKnownFromPollsAndFromPublishers(t *testing.T) {
	b := NewBackends(BackendOptions{})
	b.Replace("x", []Backend{at("a"), at("b")})
	bob := stream.Name{App: "live", Stream: "bob"}
	b.SetLoad("a", place.Load{}, []stream.Name{alice, bob})
	b.SetLoad("b", place.Load{}, []stream.Name{alice})
	if got := b.Having(alice); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	ended := b.StreamStarted("a", alice)
	b.SetLoad("a", place.Load{}, []stream.Name{}) // a poll that does not show it yet
	b.SetLoad("b", place.Load{}, nil)             // not known
	if got := b.Having(alice); !slices.Equal(got, []string{"a", "b"}) || len(b.Having(bob)) != 0 {
		t.Error(got, b.Having(bob))
	}
	ended()
	if got := b.Having(alice); !slices.Equal(got, []string{"b"}) {
		t.Error(got)
	}
	if s, _ := b.Get("b"); s.Streams != 1 || !slices.Equal(b.StreamsOf("b"), []stream.Name{alice}) {
		t.Errorf("%+v", s)
	}
	b.Replace("x", nil)
	if len(b.has) != 0 {
		t.Errorf("still known: %v", b.has)
	}
}

// Whatever sources say in whatever order, the registry is what the rules say: a name is its
// first holder's until that one drops it, then somebody's who wants it.
func TestTheRegistryIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := ""
		b := NewBackends(BackendOptions{Node: func(name string) bool { return name == node }})
		wants := map[string]map[string]bool{} // by source
		c := b.Changes()
		alive := map[uint64]string{}
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			source := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "source")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				set := map[string]bool{}
				for range rapid.IntRange(0, 4).Draw(t, "n") {
					set[name.Draw(t, "name")] = true
				}
				var list []Backend
				for n := range set {
					list = append(list, at(n))
				}
				b.Replace(source, list)
				wants[source] = set
			case 1:
				n := name.Draw(t, "name")
				b.Put(source, at(n))
				if wants[source] == nil {
					wants[source] = map[string]bool{}
				}
				wants[source][n] = true
			case 2:
				n := name.Draw(t, "name")
				b.Drop(source, n)
				delete(wants[source], n)
			case 3:
				b.Sample()
			}
			want := map[string]bool{}
			for _, set := range wants {
				maps.Copy(want, set)
			}
			got := map[string]bool{}
			for _, s := range b.List() {
				got[s.Name] = true
				if !wants[s.Source][s.Name] {
					t.Fatalf("%s is of %s, which does not want it", s.Name, s.Source)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("there are %v, wanted %v", got, want)
			}
			for _, ch := range c.Next() {
				if ch.What.Has(Removed) {
					delete(alive, ch.Status.ID)
				} else {
					alive[ch.Status.ID] = ch.Status.Name
				}
			}
			if len(alive) != len(got) {
				t.Fatalf("a follower knows %v of %v", alive, got)
			}
		}
	})
}

func TestLoadIsWhatOthersHadAndWhatIsOwnNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBackends(BackendOptions{})
		polled := at("a")
		polled.Load.Kind = LoadNginx
		b.Replace("x", []Backend{polled})
		c := b.Counters("a")
		end := c.Open(true)
		b.Sample()
		c.In.Add(1e6)
		time.Sleep(time.Second)
		b.Sample()
		b.SetLoad("a", place.Load{Sessions: 5, Publishers: 3, IngressBPS: 2e7}, nil) // ours among them
		c.Open(false)
		c.Open(true)
		end()
		x := b.all["a"]
		if l := x.load(place.Load{Sessions: 3}); l.Sessions != 4+2 || l.Publishers != 2+1 || l.IngressBPS != 2e7 {
			t.Errorf("%+v", l)
		}
		b.ClearLoad("a")
		if l := x.load(place.Load{Sessions: 100}); l.Sessions != 102 || l.IngressBPS != 8e6 {
			t.Errorf("%+v", l)
		}
		// Whoever is not asked has what is counted, whatever is said of it.
		b.Replace("x", []Backend{at("b")})
		b.SetLoad("b", place.Load{Sessions: 9}, nil)
		if l := b.all["b"].load(place.Load{Sessions: 1}); l.Sessions != 1 {
			t.Errorf("%+v", l)
		}
	})
}
