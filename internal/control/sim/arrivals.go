package sim

import (
	"math"

	"weir/internal/control/place"
)

// joining is a join in flight at an edge, until the tick in which it ends.
type joining struct {
	edge uint16
	ends uint32
}

// arrive places those who come within this tick. The rate of the fill is such that it ends with the
// expected number: N(F) = r·D·(1−e^(−F/D)).
func (e *engine) arrive() {
	d := float64(ticks(e.c.Session))
	rate := float64(e.c.Viewers) / d
	if e.now < e.full {
		rate /= -math.Expm1(-float64(e.full) / d)
	}
	if rate != e.lambda { // exponential gaps have no memory: draw anew
		e.lambda = rate
		e.nextArrival = float64(e.now) + e.world.ExpFloat64()/rate
	}
	for ; e.nextArrival < float64(e.now+1); e.nextArrival += e.world.ExpFloat64() / rate {
		e.come(e.pick.draw(e.world))
	}
	if e.flashRate > 0 {
		for ; e.nextFlash < float64(e.now+1); e.nextFlash += e.world.ExpFloat64() / e.flashRate {
			e.come(uint32(e.r.FlashStream))
		}
	}
}

// come is one viewer's arrival.
func (e *engine) come(s uint32) {
	e.r.Arrivals++
	after := int(e.world.ExpFloat64() * float64(ticks(e.c.Session)))
	f := e.fronts.of(e, s)
	at, ok := e.place(s, f, noEdge)
	switch {
	case ok:
		i := e.crowd.add(viewer{stream: s, edge: at}, e.now, after)
		e.sit(i, s, at, f)
		e.event(1, i, s, at)
	case at != noEdge: // frozen: it waits, then comes again
		i := e.crowd.add(viewer{stream: s, edge: noEdge}, e.now, after)
		e.wait(orphan{viewer: i, leaves: e.crowd.all[i].leaves, due: e.now + uint32(ticks(dialTimeout)), from: at, dialed: true})
		e.event(2, i, s, at)
	default:
		e.refuse()
		e.event(3, 0, s, noEdge)
	}
	if e.r.FlashStream == int(s) {
		e.r.FlashPeak = max(e.r.FlashPeak, int(e.audience.streams[s]))
	}
}

func (e *engine) refuse() {
	e.r.Refused++
	capacity, egress := 0.0, 0.0
	for i := range e.edges {
		if x := &e.edges[i]; x.condition == alive {
			capacity += x.capacity
			egress += x.load.EgressBPS
		}
	}
	if egress < (1-room)*capacity {
		e.r.RefusedInVain++
	}
}

// place lets a front decide, and try again what an edge refuses. If the edge is frozen, it is returned with false.
func (e *engine) place(s uint32, f int, failed uint16) (uint16, bool) {
	var tried [tries + 1]place.ID
	exclude := tried[:0]
	if failed != noEdge {
		exclude = append(exclude, place.ID(failed))
	}
	b := e.bitrates[s]
	for range tries {
		d, ok := e.fronts.decide(e, s, f, exclude)
		if !ok {
			return noEdge, false
		}
		x := &e.edges[d.ID]
		switch {
		case x.condition == frozen:
			return uint16(d.ID), false
		case x.condition == dead:
			e.fronts.failed(f, d.ID)
		case x.load.EgressBPS+b > x.capacity:
			e.fronts.refused(f, &d, x, e.now)
		default:
			e.fronts.took(e, f, &d)
			return uint16(d.ID), true
		}
		e.r.Retried++
		exclude = append(exclude, d.ID)
	}
	return noEdge, false
}

// sit makes a placed viewer a load of its edge.
func (e *engine) sit(i, s uint32, at uint16, f int) {
	b := e.bitrates[s]
	l := place.Load{EgressBPS: b, Sessions: 1, Joins: 1}
	if e.audience.add(s, at) {
		e.r.NewPulls++
		l.IngressBPS = b
		if e.audience.listed && e.c.Fronts > 1 && e.c.PullDelay > 0 {
			e.audience.hide(s, at, uint8(f), e.now+uint32(ticks(e.c.PullDelay)))
		}
	}
	e.viewers++
	e.joins = append(e.joins, joining{at, e.now + uint32(ticks(joinTime))})
	e.change(at, &l)
	x := &e.edges[at]
	e.r.JoinsInFlight = max(e.r.JoinsInFlight, x.load.Joins)
	if sh := x.share(); sh > e.r.PeakShare {
		e.r.PeakShare = sh
	}
	if x.load.EgressBPS > x.capacity*(1+1e-9) {
		e.r.OverCapacity++
	}
}

// change adds to an edge's load.
func (e *engine) change(at uint16, l *place.Load) {
	x := &e.edges[at].load
	x.EgressBPS += l.EgressBPS
	x.IngressBPS += l.IngressBPS
	x.Sessions += l.Sessions
	x.Joins += l.Joins
	e.fronts.changed(at, l)
}
