package session

import (
	"slices"
	"testing"
)

func TestNetStreamsByID(t *testing.T) {
	var l netStreams
	if l.of(0) != nil || l.of(1) != nil || l.of(1<<32-1) != nil || l.count() != 0 || l.drop(&netStream{id: 1}) {
		t.Error("an empty table has streams")
	}
	three, one := &netStream{id: 3}, &netStream{id: 1}
	l.add(three) // 1 and 2 are created, and do nothing yet
	l.add(one)
	check := func(what string, want ...*netStream) {
		t.Helper()
		if got := slices.Collect(l.all()); !slices.Equal(got, want) || l.count() != len(want) {
			t.Errorf("%s: %v, count %d, want %v", what, got, l.count(), want)
		}
		for id := range uint32(5) {
			i := slices.IndexFunc(want, func(st *netStream) bool { return st.id == id })
			if got := l.of(id); i < 0 && got != nil || i >= 0 && got != want[i] {
				t.Errorf("%s: %d is %v", what, id, got)
			}
		}
	}
	check("a gap", one, three)
	for range l.all() {
		break // a caller may stop
	}
	// What replaced a stream is not dropped in its name.
	again := &netStream{id: 1}
	l.add(again)
	if l.drop(one) || l.drop(&netStream{id: 2}) || l.drop(&netStream{id: 0}) || l.drop(&netStream{id: 9}) {
		t.Error("dropped one that is not there")
	}
	check("replaced", again, three)
	if !l.drop(again) || l.drop(again) {
		t.Error("not dropped once")
	}
	check("one left", three)
	l.add(one)
	check("its id again", one, three)
	if !l.drop(three) || !l.drop(one) {
		t.Error("not dropped")
	}
	check("none")
}
