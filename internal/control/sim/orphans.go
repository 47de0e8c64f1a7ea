package sim

import "weir/internal/control/place"

// orphan is a viewer without an edge, to be placed when due.
type orphan struct {
	viewer uint32
	leaves uint32 // tells whether the record is still the same viewer's
	due    uint32
	from   uint16 // the edge it was at, or tried; noEdge if none
	moves  bool   // it had been placed
	dialed bool   // from is an edge that did not answer
}

// wait keeps the orphans in the order in which they are due.
func (e *engine) wait(o orphan) {
	// Nearly sorted: those who wait for a dial are few.
	i := len(e.orphans)
	e.orphans = append(e.orphans, o)
	for ; i > 0 && e.orphans[i-1].due > o.due; i-- {
		e.orphans[i] = e.orphans[i-1]
	}
	e.orphans[i] = o
}

// replace places those again who lost their edge, or waited for one.
func (e *engine) replace() {
	for len(e.orphans) > 0 && e.orphans[0].due <= e.now {
		o := e.orphans[0]
		e.orphans = e.orphans[1:]
		v := &e.crowd.all[o.viewer]
		if v.leaves != o.leaves || v.edge != noEdge || v.leaves <= e.now {
			continue // gone meanwhile
		}
		s := v.stream
		f := e.fronts.of(e, s)
		if o.dialed {
			e.fronts.failed(f, place.ID(o.from))
			e.r.Retried++
		}
		at, ok := e.place(s, f, o.from)
		switch {
		case ok:
			if o.moves {
				e.r.Moved++
				if !o.dialed && e.edges[o.from].condition == alive {
					e.r.MovedInVain++
				}
			}
			v.edge = at
			e.sit(o.viewer, s, at, f)
		case at != noEdge:
			e.wait(orphan{viewer: o.viewer, leaves: o.leaves, due: e.now + uint32(ticks(dialTimeout)), from: at, moves: o.moves, dialed: true})
		default:
			e.refuse()
		}
		e.event(5, o.viewer, s, at)
	}
}
