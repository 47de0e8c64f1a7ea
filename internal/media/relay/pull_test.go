package relay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/relay"
	"weir/internal/media/session"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/internal/testnet"
	"weir/rtmp"
)

func TestP6ThousandWantsAreOnePull(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		var wg sync.WaitGroup
		held := make([]*relay.Want, 1000)
		for i := range held {
			wg.Go(func() { held[i] = want(t, edge, alice) })
		}
		wg.Wait()
		if started, _ := pulls(edge); started != 1 || edge.Pulls.Len() != 1 || w.Net.Dialled(origin.Addr) != 2 {
			t.Errorf("%d pulls started, %d held, %d dials (the publisher's is one)", started, edge.Pulls.Len(), w.Net.Dialled(origin.Addr))
		}
		for _, h := range held {
			h.Release()
			h.Release() // may be repeated
		}
		elapse(mediatest.Linger - time.Millisecond)
		if edge.Pulls.Len() != 1 {
			t.Error("the pull ended before its linger")
		}
		elapse(time.Millisecond)
		if started, ended := pulls(edge); started != 1 || ended != 1 || edge.Pulls.Len() != 0 {
			t.Errorf("after the linger: %d started, %d ended, %d held", started, ended, edge.Pulls.Len())
		}
		for st := range edge.Hub.Streams() {
			t.Errorf("%v is left in memory", st.Name())
		}
		if e := event.Of[event.PullEnded](edge.Rec)[0]; e.Reason != event.NobodyWatching {
			t.Errorf("it ended for %q", e.Reason)
		}
	})
}

func TestP6PullIsRevivedWithinItsLinger(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		for range 5 {
			want(t, edge, alice).Release()
			elapse(mediatest.Linger * 3 / 4)
		}
		if started, ended := pulls(edge); started != 1 || ended != 0 {
			t.Errorf("%d pulls started, %d ended", started, ended)
		}
	})
}

func TestP6AbsentStreamsLeaveNothing(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		before := time.Now()
		for i := range 1000 {
			_, err := edge.Pulls.Want(t.Context(), stream.Name{App: "live", Stream: fmt.Sprint(i)}, live.Position{})
			if !errors.Is(err, relay.ErrNotFound) {
				t.Fatal(err)
			}
		}
		if time.Since(before) != 0 {
			t.Errorf("the answers took %v", time.Since(before))
		}
		synctest.Wait()
		if edge.Pulls.Len() != 0 || w.Net.Dialled(origin.Addr) != 0 {
			t.Errorf("%d pulls, %d dials", edge.Pulls.Len(), w.Net.Dialled(origin.Addr))
		}
		for st := range edge.Hub.Streams() {
			t.Fatalf("%v is left in memory", st.Name())
		}
	})
}

func TestPlayWaitHoldsViewersUntilThePublisherComes(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Wait = 20 * time.Second
		origin, edge := w.Start("origin"), w.Start("edge")
		got := make(chan error, 2)
		wait := func(ctx context.Context) {
			h, err := edge.Pulls.Want(ctx, alice, live.Position{})
			if err == nil {
				h.Release()
			}
			got <- err
		}
		// One gives up.
		ctx, cancel := context.WithCancel(t.Context())
		go wait(ctx)
		elapse(time.Second)
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up got %v", err)
		}
		synctest.Wait()
		if edge.Pulls.Len() != 0 {
			t.Error("a name that was given up leaves a pull")
		}
		// One waits in vain.
		began := time.Now()
		wait(t.Context())
		if err := <-got; !errors.Is(err, relay.ErrNotFound) || time.Since(began) != w.Wait {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		// One is served.
		go wait(t.Context())
		elapse(5 * time.Second)
		w.Publish(origin, alice, 1)
		elapse(100 * time.Millisecond)
		select {
		case err := <-got:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("the publisher came and the viewer still waits")
		}
	})
}

func TestP3ViewersFollowTheStreamToAnotherOrigin(t *testing.T) {
	for _, c := range []struct {
		what string
		die  func(w *mediatest.World, a *mediatest.Node)
		gone bool // the registry forgets
	}{
		{"killed", func(_ *mediatest.World, a *mediatest.Node) { a.Kill() }, true},
		{"killed, and the registry has not heard", func(_ *mediatest.World, a *mediatest.Node) { a.Kill() }, false},
		{"cut off without a word", func(w *mediatest.World, a *mediatest.Node) {
			for _, l := range w.Net.Links(a.Addr) {
				l.Cut()
			}
			w.Net.Blackhole(a.Addr, true)
		}, false},
		{"frozen: taking bytes, giving none", func(w *mediatest.World, a *mediatest.Node) {
			for _, l := range w.Net.Links(a.Addr) {
				l.Stall(testnet.Down)
			}
			w.Net.Blackhole(a.Addr, true)
		}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			in(t, func(t *testing.T, w *mediatest.World) {
				a, b, edge := w.Start("a"), w.Start("b"), w.Start("edge")
				first := w.Publish(a, alice, 1)
				elapse(time.Second)
				v := w.View(edge, alice, nil)
				elapse(3 * time.Second)
				healthy(t, v)
				c.die(w, a)
				if c.gone {
					w.Registry.Forget(alice)
				}
				elapse(2 * time.Second)
				// The publisher comes back at another origin, as one that a lease or a
				// higher epoch allowed.
				w.Registry.Forget(alice)
				w.Publish(b, alice, 2)
				elapse(1500 * time.Millisecond)
				healthy(t, v)
				if r := v.Report(); r.Switches != 1 || r.LongestGap > 4*time.Second {
					t.Errorf("%d switches, the longest gap was %v", r.Switches, r.LongestGap)
				}
				first.Stop()
			})
		})
	}
}

// A silent partition between an edge and the origin is noticed, and what was sent meanwhile is had from
// the origin's groups, of any length and at any moment of one: nothing is lost, nothing comes twice.
func TestP3PartitionFromTheOriginLosesNothing(t *testing.T) {
	for _, gop := range []time.Duration{500 * time.Millisecond, time.Second, 4 * time.Second} {
		for _, after := range []time.Duration{3 * time.Second, 3500 * time.Millisecond, 3970 * time.Millisecond} {
			t.Run(fmt.Sprint("key frames every ", gop, ", after ", after), func(t *testing.T) {
				in(t, func(t *testing.T, w *mediatest.World) {
					w.Shape.GOP = gop
					origin, edge := w.Start("origin"), w.Start("edge")
					w.Publish(origin, alice, 1)
					elapse(time.Second)
					v := w.View(edge, alice, nil)
					elapse(after)
					healthy(t, v)
					w.Net.Links(origin.Addr)[1].Cut()
					elapse(noticed + 500*time.Millisecond)
					healthy(t, v)
					pulls := event.Of[event.PullStarted](edge.Rec)
					if ended := event.Of[event.PullEnded](edge.Rec); len(pulls) != 2 || len(ended) != 1 || ended[0].Reason != event.SourceSilent {
						t.Errorf("pulls %+v, ended %+v", pulls, ended)
					}
				})
			})
		}
	}
}

// late has each stream a moment later than the registry says: it turns the first
// two feeds away.
type late struct {
	mediatest.Handler
	turnedAway int
}

func (l *late) Play(ctx context.Context, p *session.Play) (session.Player, error) {
	if p.Extra.Feed && l.turnedAway < 2 {
		l.turnedAway++
		return nil, &session.Rejection{Code: rtmp.CodePlayStreamNotFound, Description: "not yet", Reason: event.NotFound}
	}
	return l.Handler.Play(ctx, p)
}

// P3: the next owner is asked again at once when it does not have the stream yet, however
// long the last one has been failing.
func TestP3NextOwnerIsNotMadeToWaitForTheLast(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		a, edge := w.Start("a"), w.Start("edge")
		b := w.StartWith("b", func(n *mediatest.Node) session.Handler { return &late{Handler: mediatest.Handler{Node: n}} })
		first := w.Publish(a, alice, 1)
		elapse(time.Second)
		v := w.View(edge, alice, nil)
		elapse(3 * time.Second)
		a.Kill()
		elapse(4 * time.Second) // the edge tries a again and again, ever more rarely
		w.Registry.Forget(alice)
		elapse(10 * time.Millisecond)
		w.Publish(b, alice, 2)
		elapse(150 * time.Millisecond)
		healthy(t, v)
		if r := v.Report(); r.Switches != 1 {
			t.Errorf("%d switches 150 ms after the next owner came", r.Switches)
		}
		first.Stop()
	})
}

func TestP1FeedIsLeftForAHigherEpoch(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		a, b, edge := w.Start("a"), w.Start("b"), w.Start("edge")
		w.Publish(a, alice, 1)
		elapse(time.Second)
		v := w.View(edge, alice, nil)
		elapse(2 * time.Second)
		// a is not told, and goes on: it is fenced at the edge.
		w.Registry.Forget(alice)
		w.Publish(b, alice, 2)
		elapse(2 * time.Second)
		healthy(t, v)
		if r := v.Report(); r.Epoch != 2 || r.Switches != 1 || r.LongestGap > 500*time.Millisecond {
			t.Errorf("the viewer has epoch %d after %d switches, longest gap %v", r.Epoch, r.Switches, r.LongestGap)
		}
		if e := event.Of[event.PullEnded](edge.Rec); len(e) != 1 || e[0].Reason != event.OwnerChanged {
			t.Errorf("pulls ended: %+v", e)
		}
	})
}

func TestSilentFeedIsGivenUp(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		pub := w.Publish(origin, alice, 1)
		elapse(time.Second)
		h := want(t, edge, alice)
		defer h.Release()
		// The publisher's bytes stop; the owner itself answers pings.
		w.Net.Links(origin.Addr)[0].Stall(testnet.Up)
		elapse(mediatest.Silence + time.Second)
		if e := event.Of[event.PullEnded](edge.Rec); len(e) == 0 || e[0].Reason != event.SourceSilent {
			t.Errorf("pulls ended: %+v", e)
		}
		w.Net.Links(origin.Addr)[0].Resume(testnet.Up)
		pub.Stop()
	})
}

func TestLocalPublisherTakesOverAndLeavesTheGraceBehind(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		v := w.View(edge, alice, nil)
		elapse(2 * time.Second)
		w.Registry.Forget(alice)
		local := w.Publish(edge, alice, 2)
		elapse(time.Minute) // longer than any grace
		healthy(t, v)
		if started, ended := pulls(edge); started != 1 || ended != 1 {
			t.Errorf("beside the local publisher %d pulls started and %d ended", started, ended)
		}
		if err := local.Stop(); err != nil {
			t.Error(err)
		}
		elapse(mediatest.Grace - time.Second)
		if over, err := v.Ended(); over {
			t.Fatalf("the viewer was ended within the grace: %v", err)
		}
		again := w.Publish(edge, alice, 3)
		elapse(5 * time.Second)
		healthy(t, v)
		again.Stop()
		elapse(mediatest.Grace + time.Second)
		if over, _ := v.Ended(); !over {
			t.Error("after the grace the viewer is still held")
		}
	})
}

func TestP3ViewersAreKeptForTheGraceAndToldOfTheEnd(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		pub := w.Publish(origin, alice, 1)
		elapse(time.Second)
		v := w.View(edge, alice, nil)
		elapse(time.Second)
		pub.Stop()
		elapse(mediatest.Grace - time.Second)
		if over, err := v.Ended(); over {
			t.Fatalf("ended within the grace: %v", err)
		}
		pub = w.Publish(origin, alice, 2)
		elapse(3 * time.Second)
		healthy(t, v)
		pub.Stop()
		elapse(mediatest.Grace + time.Second)
		over, err := v.Ended()
		if !over || err == nil {
			t.Fatalf("after the grace: ended %v, %v", over, err)
		}
		if edge.Pulls.Len() != 0 {
			t.Error("a stream that has ended is still pulled")
		}
	})
}

// Where viewers are not kept, they are told of the end at once.
func TestViewersAreToldOfTheEndAtOnceWithoutGrace(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Grace = 0
		origin, edge := w.Start("origin"), w.Start("edge")
		pub := w.Publish(origin, alice, 1)
		elapse(time.Second)
		v := w.View(edge, alice, nil)
		elapse(10 * time.Second)
		pub.Stop()
		elapse(time.Second)
		if over, err := v.Ended(); !over || err == nil {
			t.Errorf("a second after the end: ended %v, %v", over, err)
		}
	})
}

// A dead node with many streams: all of them move at the news, none waits for the
// dial of another.
func TestP3PullsOfADeadNodeMoveTogether(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		a, b, edge := w.Start("a"), w.Start("b"), w.Start("edge")
		var names []stream.Name
		for i := range 20 {
			names = append(names, stream.Name{App: "live", Stream: fmt.Sprint(i)})
			w.Publish(a, names[i], 1)
		}
		elapse(time.Second)
		var viewers []*mediatest.Viewer
		for _, name := range names {
			viewers = append(viewers, w.View(edge, name, nil))
		}
		elapse(time.Second)
		for _, l := range w.Net.Links(a.Addr) {
			l.Cut()
		}
		w.Net.Blackhole(a.Addr, true)
		elapse(noticed + 100*time.Millisecond) // all are dialling a black hole
		for _, name := range names {
			w.Registry.Forget(name)
			w.Publish(b, name, 2)
		}
		elapse(500 * time.Millisecond)
		for _, v := range viewers {
			healthy(t, v)
		}
	})
}

func TestUnreachableOwnerIsNotAnAbsentStream(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Registry.Own(alice, origin)
		origin.Unlisten()
		defer origin.Listen()
		began := time.Now()
		if _, err := edge.Pulls.Want(t.Context(), alice, live.Position{}); !errors.Is(err, relay.ErrUnreachable) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("the answer took %v", d)
		}
	})
}

// P3: who has come for a stream whose owner is dead is not sent away in the moment in which another takes its place.
func TestP3ViewersWaitWhileADeadOwnersPlaceIsTaken(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		dead, next, edge := w.Start("dead"), w.Start("next"), w.Start("edge")
		w.Registry.Own(alice, dead)
		dead.Unlisten()
		defer dead.Listen()
		got := make(chan error, 1)
		go func() {
			h, err := edge.Pulls.Want(t.Context(), alice, live.Position{})
			if err == nil {
				h.Release()
			}
			got <- err
		}()
		elapse(500 * time.Millisecond)
		w.Registry.Forget(alice)
		elapse(100 * time.Millisecond)
		p := w.Publish(next, alice, 1)
		defer p.Stop()
		if err := <-got; err != nil {
			t.Errorf("the viewer was sent away: %v", err)
		}
	})
}

func TestCloseEndsPullsInEveryState(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		w.Wait = time.Hour
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		fed := want(t, edge, alice)
		want(t, edge, alice).Release()
		waiting := make(chan error, 1)
		go func() {
			_, err := edge.Pulls.Want(t.Context(), stream.Name{App: "live", Stream: "absent"}, live.Position{})
			waiting <- err
		}()
		elapse(time.Second)
		edge.Pulls.Close()
		if err := <-waiting; !errors.Is(err, relay.ErrPeersClosed) {
			t.Errorf("who waited got %v", err)
		}
		if _, err := edge.Pulls.Want(t.Context(), alice, live.Position{}); !errors.Is(err, relay.ErrPeersClosed) {
			t.Errorf("who came later got %v", err)
		}
		fed.Release()
	})
}
