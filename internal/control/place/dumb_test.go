package place

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// dumb decides as the index does, from scratch, by looking at everybody.
type dumb struct {
	c        Candidate
	reserved []dumbReservation
	deciders int
}

type dumbReservation struct {
	ticket      Ticket
	load        Load
	at, expires time.Duration
}

func (d *dumb) with(l Load) float64 {
	v := l.vec()
	r := d.c.Load.vec()
	v.add(&r)
	for _, x := range d.reserved {
		for range d.deciders {
			h := x.load.vec()
			v.add(&h)
		}
	}
	w := d.c.Weight
	if w == 0 {
		w = 1
	}
	inv := d.c.Capacity.inverse(w)
	m := 0.0
	for i := range joins {
		m = max(m, v[i]*inv[i])
	}
	return m
}

// room needs no capacity but the sessions'.
func (d *dumb) room(deciders int) bool {
	return d.c.Capacity.Sessions == 0 || d.c.Load.Sessions+deciders*len(d.reserved) < d.c.Capacity.Sessions
}

// In a fleet small enough to be decided exactly, the index and the dumb scan agree through
// random histories: whoever is chosen is the best by the rule, and every share is what the loads say.
func TestIndexAgreesWithTheDumbScan(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		deciders := 1 + int(seed%3)
		x := index(t, Options{Deciders: deciders})
		all := map[string]*dumb{}
		now := time.Duration(0)
		for step := range 400 {
			now += time.Duration(rng.IntN(3))
			name := fmt.Sprintf("n%02d", rng.IntN(lookAt))
			d := all[name]
			switch k := rng.IntN(10); {
			case d == nil || k == 0:
				c := candidate(name, func(c *Candidate) {
					c.Load = Load{EgressBPS: float64(rng.IntN(100)) * 1e6, Sessions: rng.IntN(30), CPU: float64(rng.IntN(2)) * rng.Float64()}
					c.Weight = float64(rng.IntN(3))
					c.State = []State{Up, Up, Up, Drain, Down}[rng.IntN(5)]
					c.Serves = rng.IntN(5) > 0
					c.Capacity = Capacity{EgressBPS: float64(1+rng.IntN(4)) * 1e9, Sessions: 30 * rng.IntN(2)}
				})
				x.Set(c)
				if d == nil {
					d = &dumb{deciders: deciders}
					all[name] = d
				}
				d.c = c
			case k == 1 && step%7 == 0:
				x.Remove(name)
				delete(all, name)
			case k == 2:
				id, _ := x.Lookup(name)
				l := Load{EgressBPS: float64(rng.IntN(10)) * 1e6, Sessions: rng.IntN(30)}
				x.Report(id, l, now-3)
				d.c.Load, d.c.Reported = l, true
				d.reserved = slices.DeleteFunc(d.reserved, func(r dumbReservation) bool { return r.at <= now-3 })
			case k == 3:
				x.Expire(now)
				for _, d := range all {
					d.reserved = slices.DeleteFunc(d.reserved, func(r dumbReservation) bool { return r.expires <= now })
				}
			case k == 4 && len(d.reserved) > 0:
				i := rng.IntN(len(d.reserved))
				x.Drop(d.reserved[i].ticket)
				d.reserved = slices.Delete(d.reserved, i, i+1)
			default:
				decideBoth(t, x, all, now, rng)
			}
			for name, d := range all {
				id, _ := x.Lookup(name)
				if got, want := x.Share(id), d.with(Load{}); math.Abs(got-want) > 1e-9 {
					t.Fatalf("seed %d, step %d: %s has share %v, want %v", seed, step, name, got, want)
				}
			}
		}
	}
}

func decideBoth(t *testing.T, x *Index, all map[string]*dumb, now time.Duration, rng *rand.Rand) {
	t.Helper()
	bps := float64(1+rng.IntN(5)) * 1e6
	req := ViewRequest{Name: alice, BitrateBPS: bps}
	carries := map[string]bool{}
	var fit []string
	sum := 0.0
	for name, d := range all {
		if rng.IntN(4) == 0 {
			carries[name] = true
		}
		if d.c.State == Up && d.c.Serves {
			sum += d.with(Load{})
			fit = append(fit, name)
		}
	}
	mean := sum / float64(len(fit)) // before: a session changes it by less than the slack below
	for name := range carries {
		id, _ := x.Lookup(name)
		req.Carriers = append(req.Carriers, id)
	}
	cost := func(name string) Load {
		l := Load{EgressBPS: bps, Sessions: 1, Joins: 1}
		if !carries[name] {
			l.IngressBPS = bps
		}
		return l
	}
	got, ok := x.Viewer(&req, rng)
	gathers := false
	any, carrier, loose := math.Inf(1), math.Inf(1), math.Inf(1)
	// Those that are likely full count only if all are.
	may := slices.DeleteFunc(slices.Clone(fit), func(n string) bool { return !all[n].room(all[n].deciders) })
	if len(may) == 0 {
		may = slices.DeleteFunc(slices.Clone(fit), func(n string) bool { return !all[n].room(1) })
	}
	for _, name := range may {
		d := all[name]
		after := d.with(cost(name))
		any = min(any, after)
		if carries[name] {
			// Who stands at a bound exactly is on either side of it, as the sums round.
			gathers = gathers || d.with(Load{}) <= (1+gather)*mean-1e-9
			if d.with(Load{}) <= (1+Epsilon)*mean-1e-9 {
				carrier = min(carrier, after)
			}
			if d.with(Load{}) <= (1+Epsilon)*(mean+1/float64(len(fit))) {
				loose = min(loose, after)
			}
		}
	}
	if ok != !math.IsInf(any, 1) {
		t.Fatalf("decided %v, the best is %v", ok, any)
	}
	if !ok {
		return
	}
	share := all[got.Node].with(cost(got.Node))
	switch {
	case math.Abs(share-got.Share) > 1e-9:
		t.Fatalf("%s says %v, is %v", got.Node, got.Share, share)
	case gathers:
		if before := all[got.Node].with(Load{}); got.Why != HasStream || !carries[got.Node] || before > (1+gather)*(mean+1/float64(len(fit))) {
			t.Fatalf("%s (%s, %v), but there are carriers near the mean %v", got.Node, got.Why, before, mean)
		}
	case !math.IsInf(carrier, 1):
		if got.Why != HasStream || share > carrier+1e-9 {
			t.Fatalf("%s (%s, %v), but a carrier has %v", got.Node, got.Why, share, carrier)
		}
	case got.Why == HasStream:
		// By the mean with the session it may stand low enough for the stream to gather at it.
		if before := all[got.Node].with(Load{}); share > loose+1e-9 && before > (1+gather)*(mean+1/float64(len(fit))) {
			t.Fatalf("%s (%v), but a carrier has %v", got.Node, share, loose)
		}
	case share > any+1e-9:
		t.Fatalf("%s (%s, %v), but somebody has %v", got.Node, got.Why, share, any)
	}
	ticket := x.Reserve(&got, now, now+5)
	d := all[got.Node]
	d.reserved = append(d.reserved, dumbReservation{ticket, got.Demand, now, now + 5})
}
