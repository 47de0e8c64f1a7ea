package sim

import (
	"weir/internal/control/place"
)

type condition uint8

const (
	alive condition = iota
	frozen
	dead
)

// edge is one server as it is, whatever the fronts believe.
type edge struct {
	capacity  float64 // bits per second
	load      place.Load
	condition condition
	thaws     uint32 // tick
}

func (e *edge) share() float64 { return e.load.EgressBPS / e.capacity }

// report is what an edge has said.
type report struct {
	edge uint16
	load place.Load
	asOf uint32 // tick
	due  uint32 // at the fronts
}

// reporters says which edge reports when: each in its own phase, with a tenth of jitter.
type reporters struct {
	slots [][]uint16
}

func newReporters(span int) *reporters { return &reporters{make([][]uint16, span)} }

func (r *reporters) add(edge uint16, at uint32) {
	i := int(at) % len(r.slots)
	r.slots[i] = append(r.slots[i], edge)
}

// due takes those that report now; valid until the wheel has turned.
func (r *reporters) due(now uint32) []uint16 {
	i := int(now) % len(r.slots)
	list := r.slots[i]
	r.slots[i] = list[:0:0]
	return list
}
