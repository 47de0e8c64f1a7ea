package fleet

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/cluster"
	"weir/internal/control/place"
	"weir/internal/stream"
)

// polled is a backend that is asked for its load.
func polled(name string) Backend {
	b := at(name)
	b.Load.Kind = LoadNginx
	return b
}

// expects is the bitrate that a publisher of alice is placed with.
func expects(t *testing.T, f *Fleet) float64 {
	t.Helper()
	e, err := f.Route(Request{Name: alice}, true)
	if err != nil {
		t.Fatal(err)
	}
	return e.Demand.IngressBPS
}

func TestAPublisherIsExpectedToSendWhatTheOthersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := mixed(t, Options{}, at("x"), polled("y"))
		m.nodes = nil
		if got := expects(t, f); got != place.DefaultBitrateBPS {
			t.Errorf("with nobody there: %v", got)
		}
		b := f.backends
		b.Sample()
		var ins []*atomic.Int64
		for range 5 {
			in, _ := b.Counters("x").Publisher()
			ins = append(ins, in)
		}
		for range 3 { // 5 of this node's at x with 1 Mb/s each
			time.Sleep(time.Second)
			for _, in := range ins {
				in.Add(1e6 / 8)
			}
			b.Sample()
		}
		b.Counters("x").Publisher() // it has sent nothing yet
		if got, want := expects(t, f), (5e6+place.DefaultBitrateBPS)/6; math.Abs(got-want) > 1 {
			t.Errorf("with five of 1 Mb/s: %v, want %v", got, want)
		}
		// Four of others at y with 0.5 Mb/s, ten at an origin with 0.4; whose ingress may be something else does not count.
		b.SetLoad("y", place.Load{IngressBPS: 2e6, Publishers: 4, Sessions: 4}, nil)
		m.add("o", "origin").Load = cluster.Load{IngressBPS: 4e6, Publishers: 10}
		m.add("pulls", "origin", "edge").Load = cluster.Load{IngressBPS: 9e9, Publishers: 1, Pulls: 7}
		m.add("f", "front", "origin").Load = cluster.Load{IngressBPS: 9e9, Publishers: 1}
		m.add("silent", "origin").Load = cluster.Load{Publishers: 1000}
		if got, want := expects(t, f), (11e6+place.DefaultBitrateBPS)/20; math.Abs(got-want) > 1 {
			t.Errorf("with nineteen: %v, want %v", got, want)
		}
	})
}

func ended(f *Fleet, name stream.Name, bps float64) {
	f.Ended(cluster.StreamRecord{Name: name, Facts: cluster.Facts{BitrateBPS: bps}})
}

func TestAStreamIsExpectedToSendWhatItSent(t *testing.T) {
	f, m := mixed(t, Options{}, at("x"))
	ended(f, alice, 7e6)
	ended(f, alice, 0) // it ended before anybody measured
	if got := expects(t, f); got != 7e6 {
		t.Errorf("what it sent when it was there: %v", got)
	}
	m.owner[alice] = cluster.StreamRecord{Name: alice, Owner: "o1", Facts: cluster.Facts{BitrateBPS: 8e6}}
	if got := expects(t, f); got != 8e6 {
		t.Errorf("what the registry says that it sends: %v", got)
	}
	delete(m.owner, alice)
	for i := range sentSize {
		ended(f, stream.Name{App: "live", Stream: fmt.Sprint(i)}, 1e6)
	}
	if got := expects(t, f); got != place.DefaultBitrateBPS || len(f.sent.bps) != sentSize || len(f.sent.queue) != sentSize {
		t.Errorf("after %d others: %v, and %d are remembered", sentSize, got, len(f.sent.bps))
	}
}

// A server that is asked every five seconds says what came in all of them. A publisher of this node that left in the
// fourth is in that, and is nobody else's.
func TestOwnTrafficIsNotTakenForThatOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := mixed(t, Options{}, polled("x"))
		m.nodes = nil
		b := f.backends
		in, end := b.Counters("x").Publisher()
		b.Sample()
		time.Sleep(time.Second / 2)
		in.Add(5e6 / 8)
		b.SetLoad("x", place.Load{}, nil) // between two samples
		for i := range 5 {
			time.Sleep(time.Second / 2)
			if i < 4 {
				in.Add(10e6 / 8)
			}
			b.Sample()
			if i == 3 {
				end()
			}
			time.Sleep(time.Second / 2)
		}
		b.SetLoad("x", place.Load{IngressBPS: 8e6 + 1e6}, nil) // 1 Mb/s is another's
		f.Route(Request{Name: alice}, true)
		if got := f.index.Load(f.known["x"].id).IngressBPS; math.Abs(got-1e6) > 1 {
			t.Errorf("it counts with %.0f bits per second", got)
		}
	})
}

// What this node's own sessions send is metered each second, also where the server itself is asked rarely.
func TestAReservationEndsWithTheOwnMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := mixed(t, Options{}, polled("x"))
		m.nodes = nil
		b := f.backends
		b.Sample()
		b.SetLoad("x", place.Load{}, nil)
		time.Sleep(time.Second / 2)
		begun, err := f.Publisher(Request{Name: alice})
		if err != nil {
			t.Fatal(err)
		}
		b.Counters("x").Open(true)
		begun.Done(true)
		time.Sleep(time.Second / 2)
		reserved := func() int {
			f.Route(Request{Name: alice}, true)
			return f.index.Reserved()
		}
		b.Sample()
		if n := reserved(); n != 1 {
			t.Errorf("%d reserved while the meter has seen a part", n)
		}
		time.Sleep(time.Second)
		b.Sample()
		if n := reserved(); n != 0 {
			t.Errorf("%d reserved once the meter shows it", n)
		}
		// Who is still being dialled is in no meter.
		if _, err := f.Publisher(Request{Name: alice}); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			time.Sleep(time.Second)
			b.Sample()
			if n := reserved(); n != 1 {
				t.Errorf("%d reserved while it is dialled", n)
			}
		}
		time.Sleep(time.Second)
		b.Sample()
		if n := reserved(); n != 0 {
			t.Errorf("%d reserved in the end", n)
		}
		if n := len(f.known["x"].pending); n != 0 {
			t.Errorf("%d pending in the end", n)
		}
	})
}

// What a publisher sends counts as soon as it has been measured over a whole second, and no more when it is gone.
func TestEachPublisherIsMeasuredByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBackends(BackendOptions{})
		b.Replace("static", []Backend{at("x")})
		c := b.Counters("x")
		own := func(want float64) {
			t.Helper()
			s, _ := b.Get("x")
			if math.Abs(s.Own.IngressBPS-want) > 1 {
				t.Errorf("%.0f bits per second, want %.0f", s.Own.IngressBPS, want)
			}
		}
		b.Sample()
		time.Sleep(time.Second / 2)
		one, endOne := c.Publisher()
		two, endTwo := c.Publisher()
		second := func() {
			time.Sleep(time.Second)
			one.Add(1e6 / 8)
			two.Add(4e6 / 8)
			b.Sample()
		}
		second()
		own(0) // a part of the first second says little
		second()
		own(5e6)
		time.Sleep(time.Second / 2)
		two.Add(2e6 / 8)
		endTwo()
		own(1e6)
		two.Add(8) // what was on its way
		b.Sample()
		if got := c.In.Load(); got != (2*5e6+2e6)/8+8 || c.Publishers.Load() != 1 {
			t.Errorf("%d bytes", got)
		}
		time.Sleep(time.Second)
		c.In.Add(1e6) // of sessions that are not measured by themselves
		b.Sample()
		own(1e6*0.75*0.75 + 8e6)
		endOne()
		b.Sample()
		if len(c.own) != 0 {
			t.Errorf("%d are kept", len(c.own))
		}
	})
}

func TestAStreamThatHasEndedDrawsItsPublisherBack(t *testing.T) {
	f, _ := mixed(t, Options{}, at("x"))
	f.Ended(cluster.StreamRecord{Name: alice, Owner: "f", Facts: cluster.Facts{Backend: "x"}})
	if server, ok := f.sticky.Get(alice.String(), time.Since(f.start)); !ok || server != "x" {
		t.Errorf("its publisher goes back to %q", server)
	}
}
