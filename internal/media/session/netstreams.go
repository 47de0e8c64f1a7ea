package session

import "iter"

// netStreams are a session's NetStreams that publish or play, by id - 1; nil where there is none. Ids
// are low: package rtmp gives out the lowest that is free. Nearly always it is one stream,
// for which a map would be 200 bytes a viewer.
type netStreams []*netStream

func (l netStreams) of(id uint32) *netStream {
	if id == 0 || int64(id) > int64(len(l)) {
		return nil
	}
	return l[id-1]
}

// add puts st in the place of its id, whoever has it.
func (l *netStreams) add(st *netStream) {
	for int64(len(*l)) < int64(st.id) {
		*l = append(*l, nil)
	}
	(*l)[st.id-1] = st
}

// drop takes st out; false if it is not there.
func (l netStreams) drop(st *netStream) bool {
	if l.of(st.id) != st {
		return false
	}
	l[st.id-1] = nil
	return true
}

func (l netStreams) all() iter.Seq[*netStream] {
	return func(yield func(*netStream) bool) {
		for _, st := range l {
			if st != nil && !yield(st) {
				return
			}
		}
	}
}

func (l netStreams) count() (n int) {
	for range l.all() {
		n++
	}
	return n
}
