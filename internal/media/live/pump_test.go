package live

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"weir/rtmp"
)

// load runs a pace for a while: viewers, messages a second, and what a write costs that
// takes along so many. It returns how long after one pass the last ones came.
func (p *pace) load(now *time.Duration, viewers, rate int, cost func(messages int) time.Duration) (period time.Duration) {
	each := time.Second / time.Duration(rate)
	for range 20 {
		waits := max(each, period)
		messages := int(waits / each)
		start := *now + waits
		end := start + time.Duration(viewers)*cost(messages)
		again := p.passed(start, end, viewers, viewers*messages)
		*now = start
		period = max(0, again-start)
	}
	return period
}

func TestPumpSendsAtOnceWhileThereIsTime(t *testing.T) {
	cost := func(messages int) time.Duration {
		return 3500*time.Nanosecond + time.Duration(messages)*300*time.Nanosecond
	}
	p := pace{max: DefaultMaxLatency}
	var now time.Duration
	for _, tc := range []struct {
		viewers int
		want    time.Duration
	}{{1, 0}, {50, 0}, {150, 0}, {250, DefaultMaxLatency}, {1000, DefaultMaxLatency}, {150, DefaultMaxLatency}, {90, 0}, {150, 0}} {
		if got := p.load(&now, tc.viewers, 77, cost); got != tc.want {
			t.Errorf("%d viewers: %v between passes, want %v", tc.viewers, got, tc.want)
		}
	}
	// Who allows 350 ms wants it used.
	p = pace{max: 350 * time.Millisecond}
	if got := p.load(&now, 100, 77, cost); got != p.max {
		t.Errorf("with 350 ms: %v", got)
	}
}

// One window in which others had the core is no load.
func TestPumpIsNotTakenInByItsNeighbours(t *testing.T) {
	p := pace{max: DefaultMaxLatency}
	var now time.Duration
	dear := 0
	got := p.load(&now, 20, 77, func(int) time.Duration {
		if dear++; dear == 10 {
			return 2 * time.Millisecond
		}
		return 4 * time.Microsecond
	})
	if got != 0 {
		t.Errorf("%v between passes", got)
	}
}

// The passes of a busy pump follow right upon a picture, if one comes at the right time.
func TestBusyPumpWaitsForAPicture(t *testing.T) {
	inWorld(t, Options{Pumps: 1}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		sinks := make([]*dear, 40)
		for i := range sinks {
			sinks[i] = &dear{sink: sink{room: -1}, cost: 200 * time.Microsecond}
			w.s.Join(JoinOptions{Sink: sinks[i]})
		}
		elapse(time.Second)
		var pictures []time.Time
		for i := range 90 { // 30 a second, and a sound in between
			time.Sleep(16 * time.Millisecond)
			w.audio(uint32(i*33 + 16))
			time.Sleep(17*time.Millisecond + time.Millisecond*time.Duration(i%2))
			pictures = append(pictures, time.Now())
			w.video(uint32(i*33+33), false)
		}
		elapse(time.Second)
		var off []time.Duration // from a picture to the pass
		times := sinks[0].times
		for _, at := range times[len(times)-15 : len(times)-1] {
			var from time.Duration = -1
			for _, p := range pictures {
				if !p.After(at) {
					from = at.Sub(p)
				}
			}
			off = append(off, from)
		}
		for _, d := range off {
			if d < 0 || d > 10*time.Millisecond {
				t.Fatalf("passes came so long after pictures: %v", off)
			}
		}
		for j := len(times) - 14; j < len(times)-1; j++ {
			if d := times[j].Sub(times[j-1]); d < 60*time.Millisecond || d > 105*time.Millisecond {
				t.Errorf("%v between passes", d)
			}
		}
	})
}

// dear is a sink whose writes take time, in a bubble.
type dear struct {
	sink
	cost  time.Duration
	times []time.Time
}

func (d *dear) TryWrite(b []byte) (int, error) {
	time.Sleep(d.cost)
	d.times = append(d.times, time.Now())
	return d.sink.TryWrite(b)
}

func TestBusyPumpCoalescesWithinTheBound(t *testing.T) {
	for _, tc := range []struct {
		viewers, min, max int // writes of each in 2 s of 25 pictures and 50 sounds a second
	}{{1, 140, 160}, {40, 19, 24}} {
		t.Run(fmt.Sprint(tc.viewers), func(t *testing.T) {
			inWorld(t, Options{Pumps: 1}, func(w *world) {
				w.headers(1)
				w.video(0, true)
				sinks := make([]*dear, tc.viewers)
				for i := range sinks {
					sinks[i] = &dear{sink: sink{room: -1}, cost: time.Millisecond}
					if tc.viewers == 1 {
						sinks[i].cost = 0
					}
					w.s.Join(JoinOptions{Sink: sinks[i]})
				}
				elapse(time.Second)
				first := len(sinks[0].times)
				for ts := uint32(20); ts <= 2000; ts += 20 {
					w.audio(ts)
					if ts%40 == 0 {
						time.Sleep(time.Millisecond)
						w.video(ts, false)
						time.Sleep(19 * time.Millisecond)
					} else {
						time.Sleep(20 * time.Millisecond)
					}
				}
				elapse(time.Second)
				for i, s := range sinks {
					if n := len(s.times) - first; n < tc.min || n > tc.max {
						t.Errorf("viewer %d: %d writes, want %d to %d", i, n, tc.min, tc.max)
					}
					for j := first + 1; j < len(s.times); j++ {
						// The bound is from service to service: a pass more for what
						// the publisher waits to come.
						if d := s.times[j].Sub(s.times[j-1]); d > DefaultMaxLatency+25*time.Millisecond {
							t.Errorf("viewer %d waited %v", i, d)
						}
					}
				}
			})
		})
	}
}

// Everything at once, on real threads, for the race detector.
func TestP4JoinsAndLeavesUnderLoad(t *testing.T) {
	h := NewHub(Options{Pumps: 4, SegmentBytes: 8 << 10})
	s := h.Open(testName)
	w, err := s.Attach(Source{Timeline: "one"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		w.Write(rtmp.Video, 0, avcHeader(1))
		w.Write(rtmp.Audio, 0, aacHeader(1))
		sh := newShape()
		sh.key, sh.inter = sh.key[:6000], sh.inter[:900]
		for i := range 5000 {
			if i%1000 == 999 {
				w.Write(rtmp.Video, 0, avcHeader(byte(i/1000)))
			}
			if err := w.Write(sh.next()); err != nil {
				t.Error(err)
			}
		}
	})
	var ends sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				ends.Add(1)
				room := &sink{room: 1000 * (i%3 - 1)}
				v := s.Join(JoinOptions{Sink: room, Form: Form(n % 2), OnEnd: func(Reason, error) { ends.Done() }})
				v.Pause(i%5 == 0)
				v.SetReceive(true, i%2 == 0)
				v.Send([]byte("control"))
				room.drain(500)
				s.Info()
				v.Stats()
				v.Close()
			}
		})
		wg.Go(func() {
			woken := make(chan struct{}, 1)
			c := s.NewCursor(Form(n%2), func() {
				select {
				case woken <- struct{}{}:
				default:
				}
			})
			defer c.Close()
			for {
				if b := c.Peek(10_000); len(b) > 0 {
					c.Advance(len(b))
					continue
				}
				select {
				case <-done:
					return
				case <-woken:
				}
			}
		})
	}
	wg.Wait()
	ends.Wait()
	if i := s.Info(); i.Viewers != 0 || i.Cursors != 0 {
		t.Errorf("left over: %+v", i)
	}
	w.Close()
	s.Release()
	if _, ok := h.Lookup(testName); ok {
		t.Error("the stream is left over")
	}
	h.Close()
}
