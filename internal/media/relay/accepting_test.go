package relay_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/relay"
	"weir/internal/stream"
)

// accepting is a registry that has given every stream to this very node.
type accepting struct{}

func (accepting) Locate(context.Context, stream.Name, string) (relay.Source, bool, error) {
	return relay.Source{Self: true}, true, nil
}
func (accepting) Watch(stream.Name) (<-chan struct{}, func()) { return nil, func() {} }

// P3: who waits for a stream is not sent away when its publisher comes to this very node: the registry may know of it
// a moment before the publisher has been accepted.
func TestP3ViewersWaitForAPublisherThatIsBeingAccepted(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		none := func(string) time.Duration { return 0 }
		p := relay.NewPulls(relay.PullOptions{Hub: w.Start("edge").Hub, Locator: accepting{}, Linger: none, Grace: none, Wait: none})
		defer p.Close()
		got := make(chan error, 1)
		ask := func() {
			want, err := p.Want(t.Context(), alice, live.Position{})
			if err == nil {
				want.Release()
			}
			got <- err
		}
		go ask()
		elapse(500 * time.Millisecond)
		p.LocalStarted(alice)
		if err := <-got; err != nil {
			t.Errorf("the viewer was sent away: %v", err)
		}
		p.LocalEnded(alice)
		elapse(time.Minute)
		began := time.Now()
		go ask()
		if err := <-got; !errors.Is(err, relay.ErrNotFound) || time.Since(began) > 5*time.Second {
			t.Errorf("a publisher that does not come: %v after %v", err, time.Since(began))
		}
		synctest.Wait()
	})
}
