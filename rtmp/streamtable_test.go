package rtmp

import "testing"

func TestServerConnStreamTable(t *testing.T) {
	s := NewServerConn(&deadlineConn{}, Options{Limits: Limits{NetStreams: 3}})
	for _, id := range []uint32{0, 1, 4, 1<<32 - 1} {
		if s.state(id) != streamAbsent || s.remove(id) != streamAbsent || s.idle(id) != streamAbsent {
			t.Errorf("%d is there before anything was created", id)
		}
		if why, ok := s.begin(id, streamPlaying); ok || why != ReasonUnknownStream {
			t.Errorf("%d begins: %v, %q", id, ok, why)
		}
	}
	created := func(want ...uint32) {
		t.Helper()
		for _, id := range want {
			if got := s.create(); got != id {
				t.Errorf("created %d, want %d", got, id)
			}
		}
	}
	created(1, 2, 3, 0, 0) // the fourth is one too many
	if _, ok := s.begin(2, streamPublishing); !ok {
		t.Error("2 does not begin")
	}
	if why, ok := s.begin(2, streamPlaying); ok || why != ReasonStreamBusy {
		t.Errorf("2 begins twice: %q", why)
	}
	// The lowest that is free, in use or not.
	if s.remove(1) != streamIdle || s.remove(2) != streamPublishing || s.remove(2) != streamAbsent {
		t.Error("removed something else")
	}
	if s.state(1) != streamAbsent || s.state(3) != streamIdle {
		t.Errorf("1 is %d, 3 is %d", s.state(1), s.state(3))
	}
	created(1, 2, 0)
	if s.state(2) != streamIdle {
		t.Error("2 comes back in use")
	}
	// A gap at the end is a place too, and a higher limit makes more.
	s.remove(3)
	created(3)
	s.SetMaxStreams(4)
	created(4, 0)
	s.begin(4, streamPlaying)
	if !s.plays(4) || s.plays(3) || s.plays(5) {
		t.Error("the wrong one plays")
	}
	if was := s.idle(4); was != streamPlaying || s.plays(4) {
		t.Error("4 plays on")
	}
}
