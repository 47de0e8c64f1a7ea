package sim

import (
	"weir/internal/control/place"
)

// audience counts viewers by stream and edge: a pair that has any is a pull.
type audience struct {
	edges    int
	pairs    []uint32     // stream × edges + edge
	streams  []int32      // viewers, by stream
	carriers [][]place.ID // by stream; only if listed
	listed   bool         // the policy looks at them
	pulls    int
	fresh    map[uint32][]freshPull // pulls that not every front knows of
	unseen   []seeing               // by time
	scratch  []place.ID
}

type freshPull struct {
	edge  uint16
	front uint8
	seen  uint32 // tick
}

type seeing struct {
	stream uint32
	at     uint32
}

func newAudience(streams, edges int, listed bool) *audience {
	a := &audience{edges: edges, pairs: make([]uint32, streams*edges), streams: make([]int32, streams), listed: listed, fresh: map[uint32][]freshPull{}}
	if listed {
		a.carriers = make([][]place.ID, streams)
	}
	return a
}

// add counts a viewer, and reports whether it began a pull.
func (a *audience) add(stream uint32, edge uint16) bool {
	a.streams[stream]++
	p := &a.pairs[int(stream)*a.edges+int(edge)]
	*p++
	if *p > 1 {
		return false
	}
	a.pulls++
	if a.listed {
		a.carriers[stream] = append(a.carriers[stream], place.ID(edge))
	}
	return true
}

// remove reports whether a pull ended.
func (a *audience) remove(stream uint32, edge uint16) bool {
	a.streams[stream]--
	p := &a.pairs[int(stream)*a.edges+int(edge)]
	*p--
	if *p > 0 {
		return false
	}
	a.pulls--
	if a.listed {
		list := a.carriers[stream]
		for i, id := range list {
			if id == place.ID(edge) {
				list[i] = list[len(list)-1]
				a.carriers[stream] = list[:len(list)-1]
				break
			}
		}
	}
	return true
}

// hide keeps a new pull from other fronts until a tick.
func (a *audience) hide(stream uint32, edge uint16, front uint8, until uint32) {
	a.fresh[stream] = append(a.fresh[stream], freshPull{edge, front, until})
	a.unseen = append(a.unseen, seeing{stream, until})
}

// reveal forgets what everybody knows by now.
func (a *audience) reveal(now uint32) {
	n := 0
	for ; n < len(a.unseen) && a.unseen[n].at <= now; n++ {
		s := a.unseen[n].stream
		list := a.fresh[s][:0]
		for _, f := range a.fresh[s] {
			if f.seen > now {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			delete(a.fresh, s)
		} else {
			a.fresh[s] = list
		}
	}
	a.unseen = a.unseen[n:]
}

// of is the carriers of a stream as a front knows them; valid until the next call.
func (a *audience) of(stream uint32, front uint8) []place.ID {
	if !a.listed {
		return nil
	}
	all := a.carriers[stream]
	fresh := a.fresh[stream]
	if len(fresh) == 0 {
		return all
	}
	a.scratch = a.scratch[:0]
next:
	for _, id := range all {
		for _, f := range fresh {
			if f.edge == uint16(id) && f.front != front {
				continue next
			}
		}
		a.scratch = append(a.scratch, id)
	}
	return a.scratch
}
