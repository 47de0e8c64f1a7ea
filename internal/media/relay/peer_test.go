package relay_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/member"
	"weir/internal/media/relay"
	"weir/internal/stream"
	"weir/internal/testnet"
)

func TestFeedsShareConnections(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Net.Faults = func(string) testnet.Faults { return testnet.Faults{Delay: 20 * time.Millisecond} }
		const n = 150
		for i := range n {
			w.Publish(origin, stream.Name{App: "live", Stream: fmt.Sprint(i)}, 1)
		}
		elapse(2 * time.Second)
		before := w.Net.Dialled(origin.Addr)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { want(t, edge, stream.Name{App: "live", Stream: fmt.Sprint(i)}) })
		}
		wg.Wait()
		most := (n + relay.FeedsPerConnection - 1) / relay.FeedsPerConnection
		if got := w.Net.Dialled(origin.Addr) - before; got != most {
			t.Errorf("%d feeds at once took %d dials, want %d", n, got, most)
		}
	})
}

func TestOneDialForFiveHundredQuestions(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Net.Blackhole(origin.Addr, true)
		var wg sync.WaitGroup
		began := time.Now()
		for range 500 {
			wg.Go(func() {
				if _, err := edge.Peers.Query(t.Context(), origin.Addr, "x", ""); err == nil {
					t.Error("a black hole answered")
				}
			})
		}
		wg.Wait()
		if d, n := time.Since(began), w.Net.Dialled(origin.Addr); d != relay.DialTimeout || n != 1 {
			t.Errorf("500 questions to a black hole took %v and %d dials", d, n)
		}
	})
}

func TestQueriesAreAnsweredOverTheSharedConnection(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		for i := range 3 {
			if got, err := edge.Peers.Query(t.Context(), origin.Addr, "what", fmt.Sprint(i)); err != nil || got != fmt.Sprintf("what/%d", i) {
				t.Errorf("got %q, %v", got, err)
			}
		}
		if n := w.Net.Dialled(origin.Addr); n != 1 {
			t.Errorf("%d dials", n)
		}
		elapse(relay.PeerIdle - time.Second)
		if origin.Sessions.Len() != 1 {
			t.Error("the idle connection was closed early")
		}
		elapse(2 * time.Second)
		if origin.Sessions.Len() != 0 {
			t.Error("the idle connection is still open")
		}
	})
}

func TestImpostorIsRefused(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		stranger := relay.NewPeers("stranger", func() []byte { return []byte("a guess") }, w.Net.Dial)
		defer stranger.Close()
		if _, err := stranger.Query(t.Context(), origin.Addr, "x", ""); !errors.Is(err, member.ErrNotMember) {
			t.Errorf("with a wrong secret: %v", err)
		}
		elapse(time.Second)
		if n := origin.Sessions.Len(); n != 0 {
			t.Errorf("the stranger keeps %d connections", n)
		}
		if _, err := edge.Peers.Query(t.Context(), origin.Addr, "x", ""); err != nil {
			t.Errorf("a member: %v", err)
		}
	})
}

func TestSilentPeerLosesAllItsFeeds(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		const n = 10
		for i := range n {
			w.Publish(origin, stream.Name{App: "live", Stream: fmt.Sprint(i)}, 1)
		}
		elapse(time.Second)
		for i := range n {
			want(t, edge, stream.Name{App: "live", Stream: fmt.Sprint(i)})
		}
		links := w.Net.Links(origin.Addr)
		links[len(links)-1].Stall(testnet.Down)
		elapse(noticed)
		if _, ended := pulls(edge); ended != n {
			t.Errorf("%d of %d feeds ended", ended, n)
		}
		// They come back over another connection.
		elapse(time.Second)
		if started, _ := pulls(edge); started != 2*n {
			t.Errorf("%d feeds were taken up again", started-n)
		}
	})
}

// A viewer that comes and goes within a round trip leaves no NetStream at the
// owner, which grants a connection only so many.
func TestP5FeedsGivenUpEarlyLeaveNothingAtTheOwner(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin, edge := w.Start("origin"), w.Start("edge")
		w.Publish(origin, alice, 1)
		elapse(time.Second)
		w.Net.Faults = func(string) testnet.Faults { return testnet.Faults{Delay: 50 * time.Millisecond} }
		if _, err := edge.Peers.Query(t.Context(), origin.Addr, "x", ""); err != nil {
			t.Fatal(err) // the connection stands: what follows is createStream only
		}
		for range 400 {
			ctx, cancel := contextFor(t, 20*time.Millisecond)
			if _, err := edge.Pulls.Want(ctx, alice, live.Position{}); err == nil {
				t.Fatal("answered in less than a round trip")
			}
			cancel()
			elapse(150 * time.Millisecond)
		}
		h := want(t, edge, alice)
		h.Release()
		if n := w.Net.Dialled(origin.Addr); n != 2 {
			t.Errorf("%d connections for it", n-1)
		}
	})
}

func TestClosePeersInMidDial(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin := w.Start("origin")
		w.Net.Blackhole(origin.Addr, true)
		p := relay.NewPeers("p", func() []byte { return w.Secret }, w.Net.Dial)
		got := make(chan error, 1)
		go func() {
			_, err := p.Query(t.Context(), origin.Addr, "x", "")
			got <- err
		}()
		synctest.Wait()
		began := time.Now()
		p.Close()
		if err := <-got; err == nil || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if _, err := p.Query(t.Context(), origin.Addr, "x", ""); !errors.Is(err, relay.ErrPeersClosed) {
			t.Errorf("later: %v", err)
		}
	})
}
