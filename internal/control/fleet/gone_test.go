package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// Discovery forgets a server for a moment; its publisher stays, so it has no room for another.
func TestAServerThatIsNamedAgainStillHasItsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := at("x")
		one.Capacity.Publishers = 1
		f, m := mixed(t, Options{}, one)
		m.nodes = nil
		b := f.backends
		c, err := f.Publisher(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		in, end := b.Counters("x").Publisher()
		ended := b.StreamStarted("x", alice)
		c.Done(true)
		in.Add(1000)
		b.Sample()
		for range 3 {
			b.Replace("static", nil)
			if len(b.Having(alice)) > 0 || b.Counters("x").Publishers.Load() != 1 {
				t.Errorf("gone, it has %v, %d publishers", b.Having(alice), b.Counters("x").Publishers.Load())
			}
			time.Sleep(time.Second)
			b.Sample()
			b.Replace("static", []Backend{one})
			time.Sleep(time.Second)
			b.Sample()
			if c, err := f.Publisher(Request{Name: stream.Name{App: "live", Stream: "bob"}}); err == nil {
				t.Fatalf("two of one: %+v", c)
			}
			if got := b.Having(alice); len(got) != 1 {
				t.Errorf("alice is at %v", got)
			}
		}
		if s, _ := b.Get("x"); s.Counters.Total.Load() != 1 || s.Counters.In.Load() != 1000 || s.Streams != 1 {
			t.Errorf("%+v", s)
		}
		// What ends in between is not there afterwards.
		b.Replace("static", nil)
		ended()
		end()
		b.Replace("static", []Backend{one})
		if s, _ := b.Get("x"); s.Counters.Sessions() != 0 || s.Counters.Total.Load() != 0 || len(b.Having(alice)) != 0 {
			t.Errorf("%+v", s)
		}
		time.Sleep(syncEvery)
		if _, err := f.Publisher(Request{Name: alice}); err != nil {
			t.Error(err)
		}
		// Another server under the name has nothing of it, and the first has it still when it is back.
		other := one
		other.RTMP = "elsewhere:1935"
		_, end = b.Counters("x").Publisher()
		ended = b.StreamStarted("x", alice)
		b.SetLoad("x", place.Load{Sessions: 7}, []stream.Name{alice, {App: "live", Stream: "past-the-front"}})
		for _, gap := range []bool{false, true} { // changed at once, and gone in between
			if gap {
				b.Replace("static", nil)
			}
			b.Replace("static", []Backend{other})
			if s, _ := b.Get("x"); s.Counters.Sessions() != 0 || s.Streams != 0 || s.Measured.Sessions != 0 || len(b.Having(alice)) != 0 {
				t.Errorf("elsewhere: %+v, alice at %v", s, b.Having(alice))
			}
			b.Replace("static", []Backend{one})
			if s, _ := b.Get("x"); s.Counters.Sessions() != 1 || len(b.Having(alice)) != 1 {
				t.Errorf("back: %+v, alice at %v", s, b.Having(alice))
			}
		}
		ended()
		end()
		// Nobody is remembered for longer than he has sessions.
		_, end = b.Counters("x").Publisher()
		b.Replace("static", nil)
		end()
		b.Sample()
		if len(b.gone) != 0 {
			t.Errorf("%v", b.gone)
		}
	})
}

// What ends at the server that had the name before does not end at the one that has it now.
func TestAStreamEndsWhereItWasPublished(t *testing.T) {
	b := NewBackends(BackendOptions{})
	one, other := at("x"), at("x")
	other.RTMP = "elsewhere:1935"
	b.Replace("static", []Backend{one})
	b.Counters("x").Open(true) // another session there, of which the server is remembered
	ended := b.StreamStarted("x", alice)
	for _, gap := range []bool{false, true} {
		if gap {
			b.Replace("static", nil)
		}
		b.Replace("static", []Backend{other})
		b.Counters("x").Open(true)
		again := b.StreamStarted("x", alice) // its publisher has come back
		ended()
		if got := b.Having(alice); len(got) != 1 {
			t.Errorf("a gap %v: at %v, although it is published there", gap, got)
		}
		b.Replace("static", []Backend{one})
		if got := b.Having(alice); len(got) != 0 {
			t.Errorf("a gap %v: at %v, although it has ended there", gap, got)
		}
		one, other, ended = other, one, again
		b.Replace("static", []Backend{one})
		if got := b.Having(alice); len(got) != 1 {
			t.Errorf("a gap %v: at %v, although it is published there", gap, got)
		}
	}
	ended()
	if got := b.Having(alice); len(got) != 0 {
		t.Errorf("in the end at %v", got)
	}
}
