package front_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"weir/internal/front"
	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// silence is as long as the origins' own limit.
const silence = 3 * mediatest.Silence

var (
	alice = stream.Name{App: "live", Stream: "alice"}
	bob   = stream.Name{App: "live", Stream: "bob"}
	carol = stream.Name{App: "live", Stream: "carol"}
)

func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// placer chooses the first of its nodes that has not just failed, or else the
// first that may be chosen: publishers and viewers have lists of their own.
type placer struct {
	mu                  sync.Mutex
	origins, edges      []*mediatest.Node
	reserved, confirmed int
	asked               map[time.Time]int // how often
}

func (p *placer) choose(from []*mediatest.Node, r front.Request) (front.Backend, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked == nil {
		p.asked = map[time.Time]int{}
	}
	p.asked[time.Now()]++
	from = slices.DeleteFunc(slices.Clone(from), func(n *mediatest.Node) bool { return slices.Contains(r.Never, n.Name) })
	if len(from) == 0 {
		return front.Backend{}, front.ErrNoServer
	}
	n := from[0]
	for _, other := range from {
		if !slices.Contains(r.Exclude, other.Name) {
			n = other
			break
		}
	}
	p.reserved++
	return front.Backend{Node: n.Name, Addr: n.Addr, Done: func(bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.confirmed++
	}}, nil
}

func (p *placer) Publisher(r front.Request) (front.Backend, error) {
	return p.choose(p.origins, r)
}

func (p *placer) Viewer(r front.Request) (front.Backend, error) {
	return p.choose(p.edges, r)
}

// carrier hands every session to the front.
type carrier struct {
	mediatest.Handler
	f *front.Front
}

func (c carrier) Publish(ctx context.Context, p *session.Publish) (session.Publisher, error) {
	return c.f.Publish(ctx, p)
}

func (c carrier) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	return c.f.Play(ctx, p)
}

// fleet is a front with two origins and two edges behind it.
type fleet struct {
	*mediatest.World
	placer
	front *mediatest.Node
	f     *front.Front
	a, b  *mediatest.Node // origins
	x, y  *mediatest.Node // edges
}

// silence cuts a node off without a word: nothing that is sent to it arrives, and nobody hears of that.
func (w *fleet) silence(n *mediatest.Node) {
	for _, l := range w.Net.Links(n.Addr) {
		l.Cut()
	}
	w.Net.Blackhole(n.Addr, true)
}

func in(t *testing.T, f func(t *testing.T, w *fleet)) {
	synctest.Test(t, func(t *testing.T) {
		w := &fleet{World: mediatest.NewWorld(t)}
		w.a, w.b, w.x, w.y = w.Start("a"), w.Start("b"), w.Start("x"), w.Start("y")
		w.origins, w.edges = []*mediatest.Node{w.a, w.b}, []*mediatest.Node{w.x, w.y}
		transit := live.NewHub(live.Options{Pumps: 1})
		t.Cleanup(func() {
			if w.f.Publishers() != 0 || w.f.Viewers() != 0 || w.reserved != w.confirmed {
				t.Errorf("left: %d publishers, %d viewers, %d reservations", w.f.Publishers(), w.f.Viewers(), w.reserved-w.confirmed)
			}
			for s := range transit.Streams() {
				t.Errorf("left: %v", s.Name())
			}
			w.f.Close()
			transit.Close()
		})
		w.front = w.StartWith("front", func(n *mediatest.Node) session.Handler {
			w.f = front.New(front.Options{Node: "front", Secret: func() []byte { return w.Secret }, Dial: w.Net.Dial, Placer: &w.placer, Emit: n.Rec.Sink, Hub: transit,
				FirstMedia: 10 * time.Second, Silence: silence})
			return carrier{mediatest.Handler{Node: n}, w.f}
		})
		f(t, w)
	})
}

func healthy(t *testing.T, v *mediatest.Viewer) {
	t.Helper()
	if over, err := v.Ended(); over {
		t.Fatalf("the viewer was ended: %v", err)
	}
	r := v.Report()
	if f := r.Faults(); f != "" {
		t.Errorf("the viewer saw %s", f)
	}
	if d := time.Since(r.Last); d > time.Second {
		t.Errorf("the viewer's last frame is %v old", d)
	}
}

func TestPublisherAndViewerAreCarried(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		pub := w.Publish(w.front, alice, 1)
		elapse(time.Second)
		if _, ok := w.a.Ingest.Lookup(alice); !ok || w.f.Publishers() != 1 {
			t.Fatal("the origin has no publisher")
		}
		v := w.View(w.front, alice, nil)
		elapse(3 * time.Second)
		healthy(t, v)
		if w.f.Viewers() != 1 || w.x.Play.Viewers() != 1 {
			t.Errorf("%d viewers at the front, %d at the edge", w.f.Viewers(), w.x.Play.Viewers())
		}
		v.Stop()
		pub.Stop()
		elapse(time.Second)
		if w.a.Ingest.Len() != 0 || w.x.Play.Viewers() != 0 {
			t.Errorf("behind are left: %d publications, %d viewers", w.a.Ingest.Len(), w.x.Play.Viewers())
		}
	})
}

func TestP3OriginsDeathIsNotSeenByPublisherOrViewer(t *testing.T) {
	for _, c := range []struct {
		what string
		die  func(w *fleet)
		gap  time.Duration
	}{
		{"killed", func(w *fleet) { w.a.Kill() }, 500 * time.Millisecond},
		{"stopped in good order", func(w *fleet) { go w.a.Stop() }, 500 * time.Millisecond},
		{"cut off without a word", func(w *fleet) { w.silence(w.a) }, 3 * time.Second},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, func(t *testing.T, w *fleet) {
				pub := w.Publish(w.front, alice, 1)
				elapse(time.Second)
				v, direct := w.View(w.front, alice, nil), w.View(w.y, alice, nil)
				elapse(3*time.Second + 500*time.Millisecond) // in mid-GOP
				healthy(t, v)
				c.die(w)
				elapse(c.gap + time.Second)
				if over, err := pub.Ended(); over {
					t.Fatalf("the publisher was ended: %v", err)
				}
				for _, v := range []*mediatest.Viewer{v, direct} {
					// From what the origin had not taken: nothing lost, nothing twice.
					healthy(t, v)
					if r := v.Report(); r.LongestGap > c.gap {
						t.Errorf("the longest gap was %v", r.LongestGap)
					}
				}
				if _, ok := w.b.Ingest.Lookup(alice); !ok {
					t.Error("the other origin does not have it")
				}
				moved := event.Of[event.BackendChanged](w.front.Rec)
				if len(moved) != 1 || moved[0].From != "a" || moved[0].To != "b" {
					t.Errorf("moved: %+v", moved)
				}
			})
		})
	}
}

// What is under way to an origin over a slow link is more than what is kept for everybody. The front
// keeps what the origin has not read.
func TestP3WhatAnOriginHasNotTakenIsSentToTheNext(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		first := true
		w.Net.Faults = func(addr string) testnet.Faults {
			if addr != w.a.Addr || !first {
				return testnet.Faults{}
			}
			first = false
			return testnet.Faults{Rate: 20_000} // of 27,000 that are sent
		}
		w.Publish(w.front, alice, 1)
		elapse(time.Second)
		v := w.View(w.y, alice, nil)
		elapse(15 * time.Second)
		r := v.Report()
		if d := r.LongestDelay; d < 4*time.Second {
			t.Fatalf("the origin is %v behind: too little for this test", d)
		}
		w.a.Kill()
		elapse(2 * time.Second)
		healthy(t, v)
	})
}

// Whenever an edge dies, and however, its viewers go on at another one without a frame less: at
// one that has the stream, or that has to fetch it first.
func TestP3EdgesDeathIsNotSeenByItsCarriedViewer(t *testing.T) {
	for _, c := range []struct {
		what string
		die  func(w *fleet)
		warm bool
	}{
		{"killed", func(w *fleet) { w.x.Kill() }, false},
		{"killed, the other has the stream", func(w *fleet) { w.x.Kill() }, true},
		{"cut off without a word", func(w *fleet) { w.silence(w.x) }, false},
		{"cut off without a word, the other has the stream", func(w *fleet) { w.silence(w.x) }, true},
	} {
		for _, after := range []time.Duration{3 * time.Second, 3*time.Second + 60*time.Millisecond, 3*time.Second + 500*time.Millisecond, 3*time.Second + 970*time.Millisecond} {
			t.Run(fmt.Sprint(c.what, " after ", after), func(t *testing.T) {
				in(t, func(t *testing.T, w *fleet) {
					w.Publish(w.front, alice, 1)
					elapse(time.Second)
					v := w.View(w.front, alice, nil)
					if c.warm {
						w.View(w.y, alice, nil)
					}
					elapse(after)
					c.die(w)
					elapse(4 * time.Second)
					healthy(t, v)
					if n := w.f.Viewers(); n != 1 {
						t.Errorf("%d viewers at the front", n)
					}
					if moved := event.Of[event.BackendChanged](w.front.Rec); len(moved) != 1 || moved[0].From != "x" || moved[0].To != "y" {
						t.Errorf("moved: %+v", moved)
					}
				})
			})
		}
	}
}

func TestBadNameIsPassedOn(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.Publish(w.b, alice, 1)
		elapse(time.Second)
		second := w.Publish(w.front, alice, 2)
		elapse(time.Second)
		over, err := second.Ended()
		var refused *rtmp.StatusError
		if !over || !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePublishBadName {
			t.Errorf("ended %v: %v", over, err)
		}
	})
}

// P1: a carried publisher whose name a newcomer has is not carried on to where the record is still its own.
func TestP1WhoLostItsNameIsNotCarriedOn(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		loser := w.Publish(w.front, alice, 1)
		elapse(time.Second)
		w.Registry.Yield(alice)
		winner := w.Publish(w.a, alice, 2)
		elapse(5 * time.Second)
		if over, _ := loser.Ended(); !over {
			t.Error("the loser goes on")
		}
		if closed := event.Of[event.SessionClosed](w.front.Rec); len(closed) != 1 || closed[0].Reason != event.TakenOver {
			t.Errorf("the front closed %+v", closed)
		}
		if over, err := winner.Ended(); over {
			t.Errorf("the newcomer was ended: %v", err)
		}
		if _, ok := w.b.Ingest.Lookup(alice); ok {
			t.Error("the loser is at the other origin")
		}
		if failed := event.Of[event.BackendFailed](w.front.Rec); len(failed) != 0 {
			t.Errorf("the origin is accused: %+v", failed)
		}
	})
}

func TestAbsentStreamIsPassedOn(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		v := w.View(w.front, alice, nil)
		elapse(time.Second)
		over, err := v.Ended()
		var refused *rtmp.StatusError
		if !over || !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePlayStreamNotFound {
			t.Errorf("ended %v: %v", over, err)
		}
	})
}

func TestNobodyThereIsADefinedAnswer(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		for _, n := range []*mediatest.Node{w.a, w.b, w.x, w.y} {
			n.Unlisten()
		}
		dead := func() {
			t.Helper()
			pub, v := w.Publish(w.front, alice, 1), w.View(w.front, alice, nil)
			elapse(10 * time.Second)
			for _, run := range []*mediatest.Run{pub, v.Run} {
				over, err := run.Ended()
				var refused *rtmp.StatusError
				if !over || !errors.As(err, &refused) || refused.Status.Code != rtmp.CodePublishRejected && refused.Status.Code != rtmp.CodePlayFailed {
					t.Errorf("ended %v: %v", over, err)
				}
			}
		}
		dead()
		w.origins, w.edges = nil, nil
		dead()
		for _, n := range []*mediatest.Node{w.a, w.b, w.x, w.y} {
			n.Listen()
		}
	})
}

func TestPublisherWithoutAServerIsToldInTheEnd(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		pub := w.Publish(w.front, alice, 1)
		elapse(2 * time.Second)
		w.a.Kill()
		w.b.Unlisten()
		elapse(20 * time.Second)
		if over, err := pub.Ended(); over {
			t.Fatalf("ended within the deadline: %v", err)
		}
		w.b.Listen()
		elapse(3 * time.Second)
		if _, ok := w.b.Ingest.Lookup(alice); !ok {
			t.Fatal("it was not taken up by the server that came back")
		}
		w.b.Kill()
		elapse(40 * time.Second)
		if over, _ := pub.Ended(); !over {
			t.Error("a publisher without a server was never told")
		}
	})
}

func TestServersBehindHearOfTheClient(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.Publish(w.front, alice, 1)
		elapse(time.Second)
		started := event.Of[event.PublishStarted](w.a.Rec)
		at := event.Of[event.SessionOpened](w.front.Rec)
		if len(started) != 1 || started[0].Remote != at[0].Remote {
			t.Errorf("the origin knows %+v, the client is %s", started, at[0].Remote)
		}
	})
}

// A front that waits for its origin's judgment carries a silent client from origin
// to origin, each of which ends it in turn, and the name stays taken.
func TestSilentPublisherIsEnded(t *testing.T) {
	in(t, func(t *testing.T, w *fleet) {
		w.Publish(w.front, alice, 1)
		elapse(time.Second)
		for _, l := range w.Net.Links(w.front.Addr) {
			l.Stall(testnet.Up)
		}
		elapse(silence - 100*time.Millisecond)
		if w.f.Publishers() != 1 {
			t.Fatal("ended too early")
		}
		elapse(time.Second)
		if w.f.Publishers() != 0 || w.a.Ingest.Len() != 0 || w.b.Ingest.Len() != 0 {
			t.Errorf("left: %d at the front, %d and %d at the origins", w.f.Publishers(), w.a.Ingest.Len(), w.b.Ingest.Len())
		}
		if moved := event.Of[event.BackendChanged](w.front.Rec); len(moved) != 0 {
			t.Errorf("moved: %+v", moved)
		}
		for _, c := range event.Of[event.SessionClosed](w.front.Rec) {
			if c.Role == event.RolePublisher && c.Reason != event.PublisherSilent {
				t.Errorf("closed for %s", c.Reason)
			}
		}
	})
}
