package bench

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/bench/stamp"
)

// What a feed sends before the window, and what it owes from then, is not the window's.
func TestFeedsCountTheWindowAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 10 // frames a second
		p := &publishing{accepted: newHistogram(), lag: newHistogram()}
		f := &feed{p: p, Source: stamp.NewSource("a", 1, stamp.Shape{VideoBitrate: 80_000, FrameRate: rate, GOP: 100 * time.Millisecond, AudioRate: -1})}
		next := func() (n int64) { return int64(len(f.Next(nil, time.Now()).Payload)) }
		for f.Due() < time.Second { // headers, and a second's frames
			next()
		}
		time.Sleep(3 * time.Second) // 2 s behind
		p.opened.Store(new(time.Now()))
		if p.sent.Load() != 0 || p.lag.quantiles().Count != 0 {
			t.Errorf("before the window: %d bytes, %+v", p.sent.Load(), p.lag.quantiles())
		}
		var frame, sent int64
		for f.Due() < 2*time.Second {
			frame = next()
			sent += frame
		}
		time.Sleep(time.Second)
		f.end()
		if got := p.sent.Load(); got != sent || sent < rate*frame/2 {
			t.Errorf("%d bytes in the window, want %d", got, sent)
		}
		if got := p.lag.quantiles(); got.Count != rate {
			t.Errorf("%d frames in the window, want %d", got.Count, rate)
		}
		// A second of frames came, as the window's own second asks: what was owed before is none of it.
		if got := p.expected.Load(); got != sent {
			t.Errorf("expected %d, want %d", got, sent)
		}
	})
}

func TestFeedsOweWhatTheWindowAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &publishing{accepted: newHistogram(), lag: newHistogram()}
		p.opened.Store(new(time.Now()))
		f := &feed{p: p, Source: stamp.NewSource("a", 1, stamp.Shape{VideoBitrate: 80_000, FrameRate: 10, GOP: 100 * time.Millisecond, AudioRate: -1})}
		for f.Due() < time.Second {
			f.Next(nil, time.Now())
		}
		time.Sleep(4 * time.Second)
		f.end()
		if sent, expected := p.sent.Load(), p.expected.Load(); expected != 4*sent {
			t.Errorf("sent %d in a quarter of the time, expected %d", sent, expected)
		}
	})
}
