package discovery

import (
	"fmt"
	"testing"
	"time"

	"weir/internal/control/fleet"
)

func TestWhoIsMissingFromAnAnswerStaysWhileItLives(t *testing.T) {
	o, _ := world()
	s := NewDNS(o, DNSOptions{Name: "media.test"})
	now := time.Unix(1000, 0)
	says := func(after time.Duration, want string, list ...fleet.Backend) {
		t.Helper()
		now = now.Add(after)
		s.taken(list, nil, now)
		if got := names(o.Backends); got != want {
			t.Errorf("the backends are %s, want %s", got, want)
		}
	}
	at := func(name, addr string) fleet.Backend { return plainly(Found{Name: name, RTMP: addr + ":1935"}) }
	a, b, c, d := at("a", "10.0.0.1"), at("b", "10.0.0.2"), at("c", "10.0.0.3"), at("d", "10.0.0.4")
	says(0, "a b c d", a, b, c, d)
	o.Backends.SetHealth("a", fleet.Health{State: fleet.HealthUp})
	o.Backends.SetHealth("b", fleet.Health{State: fleet.HealthDown})
	end := o.Backends.Counters("c").Open(true)
	id := func(name string) uint64 { s, _ := o.Backends.Get(name); return s.ID }
	was := id("a")
	e := at("e", "10.0.0.5")
	says(time.Second, "a c e", e) // b is down, and nobody knows of d
	says(holdMissing-time.Second, "a c e", e)
	says(0, "a c e", a, e) // named again, it is as it was
	if id("a") != was {
		t.Error("a is another")
	}
	says(time.Second, "a e", e) // c has been missing for too long
	o.Backends.SetHealth("e", fleet.Health{State: fleet.HealthUp})
	says(holdMissing-time.Second, "a e", e)
	says(time.Second, "e", e)
	// A server that has another name is not two.
	says(time.Second, "e2", at("e2", "10.0.0.5"))
	end()
	var many []fleet.Backend
	for i := range maxTargets {
		many = append(many, at(fmt.Sprint("m", i), fmt.Sprintf("10.1.%d.%d", i/256, i%256)))
	}
	o.Backends.SetHealth("e2", fleet.Health{State: fleet.HealthUp})
	s.taken(many, nil, now)
	if n := o.Backends.Len(); n != maxTargets {
		t.Errorf("%d backends", n)
	}
}

// Ten servers, of which each answer names three.
func TestPartialAnswersMoveNobody(t *testing.T) {
	o, _ := world()
	s := newNameServer(t)
	rrs := func(from int) (out []string) {
		for i := range 3 {
			out = append(out, fmt.Sprintf("media.test. 0 IN A 10.0.0.%d", 1+(from+i)%10))
		}
		return out
	}
	s.set("media.test", "A", rrs(0)...)
	d := NewDNS(o, DNSOptions{Name: "media.test", Resolver: s.addr, Port: 1935, Describe: plainly})
	changes := o.Backends.Changes()
	defer changes.Close()
	run(t, d.Run)
	gone := 0
	for from, seen := 0, 0; seen < 6; from += 3 {
		s.set("media.test", "A", rrs(from)...)
		want := min(3+from, 10)
		until(t, fmt.Sprint(want, " are known"), func() bool {
			for _, b := range o.Backends.List() {
				o.Backends.SetHealth(b.Name, fleet.Health{State: fleet.HealthUp})
			}
			for _, ch := range changes.Next() {
				if ch.What.Has(fleet.Removed) {
					gone++
				}
			}
			return o.Backends.Len() >= want
		})
		seen++
	}
	if gone > 0 {
		t.Errorf("%d were removed", gone)
	}
}
