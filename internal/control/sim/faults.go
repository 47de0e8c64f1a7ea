package sim

import (
	"slices"
)

// faults begins and ends what goes wrong.
func (e *engine) faults() {
	if e.now == e.fault {
		e.flash()
		for i := range e.c.Lose {
			e.lose(uint16(i))
		}
		slices.SortStableFunc(e.orphans, func(a, b orphan) int { return int(a.due) - int(b.due) })
		for i := range e.c.Freeze {
			x := &e.edges[e.c.Lose+i]
			x.condition, x.thaws = frozen, e.now+uint32(ticks(FreezeTime))
		}
		for range e.c.Add {
			i := len(e.edges)
			e.edges = append(e.edges, edge{capacity: e.edges[0].capacity / e.part(0) * e.part(i)})
			e.fronts.add(e, i)
		}
	}
	if e.flashRate > 0 && e.now >= e.fault+uint32(ticks(FlashTime)) {
		e.flashRate = 0
		for edge := range e.edges {
			if e.audience.pairs[e.r.FlashStream*e.audience.edges+edge] > 0 {
				e.r.FlashCarriers++
			}
		}
	}
	for i := range e.edges {
		if x := &e.edges[i]; x.condition == frozen && x.thaws == e.now {
			x.condition = alive
			e.fronts.thawed(uint16(i))
		}
	}
}

// flash begins the rush on the most popular stream whose new audience takes half of the
// fleet's room at most.
func (e *engine) flash() {
	if e.c.Flash <= 1 {
		return
	}
	room := 0.0
	for i := range e.edges {
		room += e.edges[i].capacity - e.edges[i].load.EgressBPS
	}
	s := 0
	for s < e.c.Streams-1 && e.c.Flash*e.audiences[s]*e.bitrates[s] > room/2 {
		s++
	}
	e.r.FlashStream = s
	e.flashRate = (e.c.Flash - 1) * e.audiences[s] / float64(ticks(FlashTime))
	e.nextFlash = float64(e.now) + e.world.ExpFloat64()/e.flashRate
}

// lose kills an edge; its viewers come back one by one.
func (e *engine) lose(i uint16) {
	e.edges[i].condition = dead
	for n := range e.crowd.all {
		v := &e.crowd.all[n]
		// A free record keeps its last edge, so its time tells.
		if v.edge != i || v.leaves <= e.now {
			continue
		}
		v.edge = noEdge
		e.rise(v.stream, i)
		e.orphans = append(e.orphans, orphan{viewer: uint32(n), leaves: v.leaves, due: e.now + 1 + uint32(e.world.IntN(ticks(rejoinTime))), from: i, moves: true})
	}
}
