package discovery

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/control/fleet"
	"weir/internal/ops/event"
)

// A failure is said at once, in other words again, and now and then while it lasts.
func TestFailuresAreSaidNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := world()
		v := &view{o: o, source: "x"}
		v.good([]fleet.Backend{{Name: "a", RTMP: "h:1"}})
		for range 3600 {
			v.bad(errors.New("away"))
			time.Sleep(time.Second)
		}
		if n := len(h.failures()); n != 12 {
			t.Errorf("said %d times in an hour", n)
		}
		for i := range 600 {
			v.bad(fmt.Errorf("away %d", i))
			time.Sleep(time.Second)
		}
		if n := len(h.failures()) - 12; n < 58 || n > 62 {
			t.Errorf("new words were said %d times in ten minutes", n)
		}
		times, kept := 0, 0
		for _, e := range h.events {
			if f, ok := e.(event.DiscoveryFailed); ok {
				times += f.Times
				kept = f.Kept
			}
		}
		if times < 4180 || times > 4200 || kept != 1 {
			t.Errorf("%d failures were counted, %d servers kept", times, kept)
		}
		v.good([]fleet.Backend{{Name: "a", RTMP: "h:1"}})
		if !h.has(again) {
			t.Error("nobody heard that it works again")
		}
		time.Sleep(changeAfter)
		before := len(h.events)
		for range 600 { // it comes and goes
			v.bad(errors.New("away"))
			time.Sleep(500 * time.Millisecond)
			v.same()
			time.Sleep(500 * time.Millisecond)
		}
		if n := len(h.events) - before; n < 118 || n > 122 {
			t.Errorf("its coming and going was said %d times in ten minutes", n)
		}
	})
}

func TestRefusedBackendsAreSaidOnce(t *testing.T) {
	o, h := world()
	Static(o, []fleet.Backend{{Name: "a", RTMP: "h:1"}})
	v := &view{o: o, source: "file:x"}
	for range 10 {
		v.good([]fleet.Backend{{Name: "a", RTMP: "h:2"}, {Name: "b", RTMP: "h:3"}})
	}
	n := 0
	for _, e := range h.events {
		if r, ok := e.(event.BackendsRefused); ok && r.Count == 1 && r.Err.Error() == `backend "a" of file:x: static has the name` {
			n++
		}
	}
	if n != 1 || names(o.Backends) != "a b" {
		t.Errorf("said %d times, the backends are %s", n, names(o.Backends))
	}
}
