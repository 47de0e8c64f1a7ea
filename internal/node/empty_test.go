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
	all      []heldSession
	overHTTP int
	left     []*fakeSession // in their order
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

func (v *fakeSession) key() any         { return v }
func (v *fakeSession) role() event.Role { return v.kind }
func (v *fakeSession) runs() bool       { return !v.begins }

func (v *fakeSession) move() {
	v.in.mu.Lock()
	v.asked++
	v.in.mu.Unlock()
	if v.stalled != nil {
		<-v.stalled
	}
	v.in.mu.Lock()
	defer v.in.mu.Unlock()
	v.in.all = slices.DeleteFunc(v.in.all, func(s heldSession) bool { return s == heldSession(v) })
	v.in.left = append(v.in.left, v)
	v.in.at = append(v.in.at, time.Since(v.in.began))
}

func (r *fakeNode) sessions() []heldSession {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *fakeNode) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overHTTP
}

func (r *fakeNode) release(most int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(most, r.overHTTP)
	r.overHTTP -= n
	for range n {
		r.at = append(r.at, time.Since(r.began))
	}
	return n
}

func (r *fakeNode) is(empty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.states) == 0 || r.states[len(r.states)-1] != empty {
		r.states = append(r.states, empty)
	}
}

func (r *fakeNode) take(v *fakeSession) *fakeSession {
	r.mu.Lock()
	defer r.mu.Unlock()
	v.in = r
	r.all = append(r.all, v)
	return v
}

func (r *fakeNode) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// emptied runs f while the node is emptied.
func emptied(t *testing.T, window time.Duration, f func(t *testing.T, r *fakeNode)) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeNode{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := emptying{left: r, window: window, is: r.is}
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
				early := r.left[:min(50, len(r.left))]
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
		if len(r.left) != 20 {
			t.Errorf("%d of 20 have gone in 2 s", len(r.left))
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
			if len(r.left) != 100 || r.at[99] > drainStep {
				t.Errorf("%d of 100 have gone by %v", len(r.left), r.at)
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
func TestGuestsAreTold(t *testing.T) {
	asked := map[any]bool{}
	a, b := &fakeSession{}, &fakeSession{}
	for _, g := range []heldSession{a, b, a} {
		asked[g.key()] = true
	}
	if asked = stillHere(asked, nil, []heldSession{b, &fakeSession{}}); len(asked) != 1 || !asked[b.key()] {
		t.Errorf("asked are %v", asked)
	}
	if g := (rtmpSession{}); !reflect.TypeOf(g.key()).Comparable() {
		t.Error("sessions cannot be told apart")
	}
}
