package relay_test

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/media/live"
	"weir/internal/media/mediatest"
	"weir/internal/media/relay"
)

// A push that waits for its turn loses nothing by it, neither on its way nor at its end, and is known to be
// alive although its pings go along with the media.
func TestPushInRoundsSendsAllAndItsEnd(t *testing.T) {
	in(t, func(t *testing.T, w *mediatest.World) {
		origin := w.Start("origin")
		s := newSource(t)
		rounds := live.NewRounds()
		busy := rounds.Turn(s.stream.Latency().Max/relay.WaitShare, func() {})
		o := pushTo(w, origin, alice)
		o.Rounds = rounds
		p, err := relay.OpenPush(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, p, s)
		v := w.View(origin, alice, nil)
		for range 40 {
			s.elapse(100 * time.Millisecond)
			busy.Sent(90*time.Millisecond, 1, 1) // others take nearly all the time
		}
		healthy(t, v)
		seen := v.Report().Video + v.Report().Audio
		last := s.feed.Next(nil, time.Now())
		for range 3 {
			s.write(last)
			last = s.feed.Next(nil, time.Now())
		}
		if err := stop(); err != nil { // at once: the three have not had their turn
			t.Error(err)
		}
		elapse(time.Second)
		synctest.Wait()
		if now := v.Report().Video + v.Report().Audio; now < seen+3 {
			t.Errorf("%d frames, %d before the last three", now, seen)
		}
	})
}
