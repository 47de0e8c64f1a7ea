package relay

import (
	"errors"
	"fmt"
	"testing"

	"weir/internal/media/live"
	"weir/internal/media/member"
	"weir/internal/ops/event"
	"weir/internal/stream"
	"weir/rtmp"
)

// P1: a member that states an epoch that no store has issued does not shut out the honest
// owner that comes after it.
func TestP1AForgedEpochShutsNobodyOut(t *testing.T) {
	hub := live.NewHub(live.Options{Pumps: 1})
	defer hub.Close()
	s := hub.Open(stream.Name{App: "live", Stream: "alice"})
	defer s.Release()
	honest := stream.Epoch{Incarnation: 5, Revision: 10}
	offer := func(e stream.Epoch) *feed {
		f := newFeed(s, live.Position{}, func(e stream.Epoch) error {
			if honest.Less(e) {
				return fmt.Errorf("%v is not the store's", e)
			}
			return nil
		})
		f.status(&rtmp.Status{Code: rtmp.CodePlayStart, Info: member.FeedFacts{Epoch: e}.Object()})
		return f
	}
	forged := offer(stream.Epoch{Incarnation: 1 << 60, Revision: 1 << 60})
	select {
	case <-forged.ended:
		if !errors.Is(forged.err, errForged) || feedReason(forged.err) != event.ForgedEpoch {
			t.Errorf("%v, reason %q", forged.err, feedReason(forged.err))
		}
	default:
		t.Error("the forged epoch was believed")
	}
	forged.message(&rtmp.Message{Type: rtmp.Video, Payload: []byte{0x17, 1, 0, 0, 0}})
	f := offer(honest)
	select {
	case <-f.started:
	default:
		t.Errorf("the honest owner is shut out: %v", f.err)
	}
	f.close()
}

// A feed that is given up does not wait for the store that its epoch is asked of, and takes no source any more.
func TestAFeedIsGivenUpWhileItsEpochIsAskedFor(t *testing.T) {
	hub := live.NewHub(live.Options{Pumps: 1})
	defer hub.Close()
	s := hub.Open(stream.Name{App: "live", Stream: "alice"})
	defer s.Release()
	asked, closed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f := newFeed(s, live.Position{}, func(stream.Epoch) error {
		close(asked)
		<-closed
		return nil
	})
	go func() {
		defer close(done)
		f.status(&rtmp.Status{Code: rtmp.CodePlayStart, Info: member.FeedFacts{Epoch: stream.Epoch{Incarnation: 5}}.Object()})
	}()
	<-asked
	f.close()
	close(closed)
	<-done
	select {
	case <-f.started:
		t.Error("it has begun")
	default:
	}
}
