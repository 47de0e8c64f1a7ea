package sim

import "weir/internal/control/place"

// leave takes those out whose time is over.
func (e *engine) leave() {
	for i := e.crowd.due(e.now); i != 0; {
		v := e.crowd.all[i-1]
		if v.edge != noEdge {
			e.rise(v.stream, v.edge)
		}
		e.event(4, i-1, v.stream, v.edge)
		e.crowd.release(i)
		i = v.next
	}
}

// rise is the opposite of sit.
func (e *engine) rise(s uint32, at uint16) {
	b := e.bitrates[s]
	l := place.Load{EgressBPS: -b, Sessions: -1}
	if e.audience.remove(s, at) {
		l.IngressBPS = -b
	}
	e.viewers--
	e.change(at, &l)
}

// joined ends the bursts.
func (e *engine) joined() {
	n := 0
	for ; n < len(e.joins) && e.joins[n].ends <= e.now; n++ {
		if x := &e.edges[e.joins[n].edge]; x.load.Joins > 0 {
			e.change(e.joins[n].edge, &place.Load{Joins: -1})
		}
	}
	e.joins = e.joins[n:]
}
