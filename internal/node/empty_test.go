package node

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/ops/event"
)

// fakeNode is a node whose sessions go when they are asked to.
type fakeNode struct {
	mu       sync.Mutex
	all      []drainable
	overHTTP int
	gone     []*fakeSession // in their order
	at       []time.Duration
	began    time.Time
	states   []bool // as they changed
}

type fakeSession struct {
	in      *fakeNode
	kind    event.Role
	begins  bool          // has not been answered
	stalled chan struct{} // move waits for it, if there is one
	asked   int
	number  int // in the list
}

func (s *fakeSession) key() any         { return s }
func (s *fakeSession) role() event.Role { return s.kind }
func (s *fakeSession) runs() bool       { return !s.begins }

func (s *fakeSession) move() {
	s.in.mu.Lock()
	s.asked++
	s.in.mu.Unlock()
	if s.stalled != nil {
		<-s.stalled
	}
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.in.all = slices.DeleteFunc(s.in.all, func(d drainable) bool { return d == drainable(s) })
	s.in.gone = append(s.in.gone, s)
	s.in.at = append(s.in.at, time.Since(s.in.began))
}

func (n *fakeNode) sessions() []drainable {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

func (n *fakeNode) requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.overHTTP
}

func (n *fakeNode) release(most int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := min(most, n.overHTTP)
	n.overHTTP -= count
	for range count {
		n.at = append(n.at, time.Since(n.began))
	}
	return count
}

func (n *fakeNode) is(empty bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.states) == 0 || n.states[len(n.states)-1] != empty {
		n.states = append(n.states, empty)
	}
}

func (n *fakeNode) take(v *fakeSession) *fakeSession {
	n.mu.Lock()
	defer n.mu.Unlock()
	v.in = n
	n.all = append(n.all, v)
	return v
}

func (n *fakeNode) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// emptied runs f while the node is emptied.
func emptied(t *testing.T, window time.Duration, f func(t *testing.T, r *fakeNode)) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeNode{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := emptying{remaining: r, window: window, is: r.is}
		r.began = time.Now()
		time.AfterFunc(time.Millisecond, func() { e.run(ctx) })
		f(t, r)
	})
}

// Viewers go over the window, some at each step, not all at once and not in the order of any list.
func TestDrainSpreadsViewers(t *testing.T) {
	const many, window = 1000, 10 * time.Second
	for _, c := range []struct {
		what           string
		rtmp, overHTTP int
	}{{"RTMP", many, 0}, {"HTTP", 0, many}, {"both", many / 2, many / 2}} {
		t.Run(c.what, func(t *testing.T) {
			emptied(t, window, func(t *testing.T, r *fakeNode) {
				for i := range c.rtmp {
					r.take(&fakeSession{kind: event.RoleViewer, number: i})
				}
				r.set(func() { r.overHTTP = c.overHTTP })
				time.Sleep(2 * window)
				r.mu.Lock()
				defer r.mu.Unlock()
				if len(r.at) != many {
					t.Fatalf("%d of %d have gone", len(r.at), many)
				}
				if last := r.at[many-1]; last < window*8/10 || last > window*12/10 {
					t.Errorf("the last has gone after %v, the window is %v", last, window)
				}
				steps := make(map[time.Duration]int)
				for _, at := range r.at {
					steps[at]++
				}
				sizes := make(map[int]bool)
				for at, n := range steps {
					if sizes[n] = true; n > 10 { // 100 a second, 50 ms, half as many again, and what was left
						t.Errorf("%d have gone at once, after %v", n, at)
					}
				}
				if len(sizes) < 3 {
					t.Errorf("always the same number has gone at a time: %v", sizes)
				}
				// Those of one step go in any order; so it is the steps that tell.
				early := r.gone[:min(50, len(r.gone))]
				if !slices.ContainsFunc(early, func(v *fakeSession) bool { return v.number > 200 }) && c.rtmp > 0 {
					t.Error("they have gone in the order in which they were held")
				}
			})
		})
	}
}

// Few viewers are not kept for the window.
func TestDrainOfFewIsShort(t *testing.T) {
	emptied(t, time.Hour, func(t *testing.T, r *fakeNode) {
		for range 20 {
			r.take(&fakeSession{kind: event.RoleViewer})
		}
		time.Sleep(2 * time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.gone) != 20 {
			t.Errorf("%d of 20 have gone in 2 s", len(r.gone))
		}
	})
}

// Publishers are asked once, all together; one that takes no bytes keeps no other one.
func TestDrainAsksPublishersOnce(t *testing.T) {
	emptied(t, time.Second, func(t *testing.T, r *fakeNode) {
		stalled := make(chan struct{})
		stays := r.take(&fakeSession{kind: event.RolePublisher, stalled: stalled})
		for range 100 {
			r.take(&fakeSession{kind: event.RolePublisher})
		}
		time.Sleep(5 * time.Second)
		r.set(func() {
			if len(r.gone) != 100 || r.at[99] > drainStep {
				t.Errorf("%d of 100 have gone by %v", len(r.gone), r.at)
			}
			if stays.asked != 1 {
				t.Errorf("who does not go was asked %d times", stays.asked)
			}
			if !slices.Equal(r.states, []bool{false}) {
				t.Errorf("empty: %v, with one that stays", r.states)
			}
		})
		close(stalled)
	})
}

// The node is not empty while one has been let in that is not yet there, nor when one comes
// after all.
func TestDrainWaitsForWhoIsOnTheWay(t *testing.T) {
	emptied(t, time.Second, func(t *testing.T, r *fakeNode) {
		on := r.take(&fakeSession{kind: event.RolePublisher, begins: true})
		time.Sleep(3 * time.Second)
		r.set(func() {
			if on.asked != 0 || !slices.Equal(r.states, []bool{false}) {
				t.Errorf("asked %d times before it was there; empty: %v", on.asked, r.states)
			}
			on.begins = false
		})
		time.Sleep(time.Second)
		r.set(func() {
			if !slices.Equal(r.states, []bool{false, true}) {
				t.Errorf("empty: %v, after the last has gone", r.states)
			}
		})
		late := r.take(&fakeSession{kind: event.RoleViewer})
		time.Sleep(2 * time.Second)
		r.set(func() {
			if late.asked != 1 || !slices.Equal(r.states, []bool{false, true, false, true}) {
				t.Errorf("who came late was asked %d times; empty: %v", late.asked, r.states)
			}
		})
	})
}

// A session is the same however often it is looked at, and whatever is known of its client.
func TestSessionsAreToldApart(t *testing.T) {
	asked := map[any]bool{}
	a, b := &fakeSession{}, &fakeSession{}
	for _, g := range []drainable{a, b, a} {
		asked[g.key()] = true
	}
	if asked = stillHere(asked, nil, []drainable{b, &fakeSession{}}); len(asked) != 1 || !asked[b.key()] {
		t.Errorf("asked are %v", asked)
	}
	if g := (rtmpSession{}); !reflect.TypeOf(g.key()).Comparable() {
		t.Error("sessions cannot be told apart")
	}
}
