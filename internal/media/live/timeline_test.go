package live

import (
	"slices"
	"testing"
	"time"

	"weir/internal/stream"
	"weir/rtmp"
)

// feed places timestamps and returns stream times; -1 for what is not delivered.
func feed(c *timeline, kind flags, ts ...uint32) (ms []int64) {
	for _, t := range ts {
		m, r := c.media(0, kind, 0, t)
		if r != "" {
			m = -1
		}
		ms = append(ms, m)
	}
	return ms
}

func TestTimelineCrossings(t *testing.T) {
	for _, start := range []uint32{0, 0xff_fffe, 0x7fff_fff0, 0xffff_fff0} {
		var c timeline
		c.begin(Clock{Base: "one"})
		want := int64(start)
		for range 100 {
			if got := feed(&c, flagVideo, uint32(want)); got[0] != want {
				t.Fatalf("start %#x: %d, want %d", start, got[0], want)
			}
			want += 40
		}
	}
	var c timeline
	c.begin(Clock{Base: "one"})
	// Many turns of the 32 bits: 30 days a step would be ambiguous, 20 are not.
	const day = 24 * 3600 * 1000
	for want := int64(0); want < 400*day; want += 20 * day {
		if got := feed(&c, flagAudio, uint32(want)); got[0] != want {
			t.Fatalf("%d, want %d", got[0], want)
		}
	}
}

func TestTimelineRebase(t *testing.T) {
	var c timeline
	c.begin(Clock{Base: "one"})
	feed(&c, flagVideo, 1000, 1040, 1080)
	feed(&c, flagAudio, 1000, 1020, 1040, 1060, 1080, 1095)
	c.begin(Clock{Base: "two"})
	// The last is 1095, the interval 40. The new source's sound is 15 ms before
	// its pictures, and stays so.
	if got := feed(&c, flagAudio, 500_000, 500_020); !slices.Equal(got, []int64{1135, 1155}) {
		t.Errorf("sound %v", got)
	}
	if got := feed(&c, flagVideo, 500_015, 500_055); !slices.Equal(got, []int64{1150, 1190}) {
		t.Errorf("pictures %v", got)
	}
	// Pictures first, sound that began before them: what would overlap goes.
	c.begin(Clock{Base: "three"})
	if got := feed(&c, flagVideo, 100, 140); !slices.Equal(got, []int64{1230, 1270}) {
		t.Errorf("pictures %v", got)
	}
	if got := feed(&c, flagAudio, 20, 40, 60); !slices.Equal(got, []int64{-1, 1170, 1190}) {
		t.Errorf("sound %v", got)
	}
	// Sound first, pictures that began before it: none may go, and what follows moves with them.
	c.begin(Clock{Base: "four"})
	if got := feed(&c, flagAudio, 900); !slices.Equal(got, []int64{1310}) {
		t.Errorf("sound %v", got)
	}
	if got := feed(&c, flagVideo, 840, 880, 920); !slices.Equal(got, []int64{1271, 1311, 1351}) {
		t.Errorf("pictures %v", got)
	}
}

func TestTimelineResume(t *testing.T) {
	var c timeline
	c.begin(Clock{Base: "one"})
	feed(&c, flagVideo, 0xffff_ff00, 0xffff_ff28, 0xffff_ff50)
	feed(&c, flagAudio, 0xffff_ff05, 0xffff_ff58)
	c.begin(Clock{Base: "one"})
	if got := feed(&c, flagVideo, 0xffff_ff00, 0xffff_ff50, 0xffff_ff78, 0xc8); !slices.Equal(got, []int64{-1, -1, 0xffff_ff78, 0x1_0000_00c8}) {
		t.Errorf("pictures %#x", got)
	}
	if got := feed(&c, flagAudio, 0xffff_ff58, 0xffff_ff60, 0x50); !slices.Equal(got, []int64{-1, 0xffff_ff60, 0x1_0000_0050}) {
		t.Errorf("sound %#x", got)
	}
	// A claim to resume that is not true: the clock has started anew.
	c = timeline{}
	c.begin(Clock{Base: "one"})
	feed(&c, flagVideo, 500_000, 500_040)
	c.begin(Clock{Base: "one"})
	if got := feed(&c, flagVideo, 0, 40); !slices.Equal(got, []int64{500_080, 500_120}) {
		t.Errorf("a false claim: %v", got)
	}
}

func TestTimelineWithinASource(t *testing.T) {
	var c timeline
	c.begin(Clock{Base: "one"})
	got := feed(&c, flagVideo, 1000, 1040, 1020, 1080, 20, 60)
	if want := []int64{1000, 1040, 1041, 1080, 1119, 1159}; !slices.Equal(got, want) {
		t.Errorf("disorder and a restart: %v, want %v", got, want)
	}
	// Headers and data are stamped with anything.
	for ts, want := range map[uint32]int64{60: 1159, 30: 1129, 20_000: 1159, 1 << 31: 1159} {
		if ms := c.beside(ts); ms != want {
			t.Errorf("a header stamped %d lands at %d, want %d", ts, ms, want)
		}
	}
}

func TestP1StaleSourceIsFenced(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		old := w.w
		e := func(i, r uint64) stream.Epoch { return stream.Epoch{Incarnation: i, Revision: r} }
		next, err := w.s.Attach(Source{Epoch: e(1, 7), Timeline: "two"})
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Write(rtmp.Video, 0, avcHeader(1)); err != ErrFenced {
			t.Errorf("the old source writes: %v", err)
		}
		old.Close() // takes nothing from the new one
		for _, low := range []stream.Epoch{{}, e(1, 6), e(0, 99)} {
			if _, err := w.s.Attach(Source{Epoch: low}); err != ErrStale {
				t.Errorf("epoch %v: %v", low, err)
			}
		}
		if err := next.Write(rtmp.Video, 0, avcHeader(1)); err != nil {
			t.Error(err)
		}
		w.s.End(ReasonUnpublished)
		if _, err := w.s.Attach(Source{Epoch: e(1, 6)}); err != ErrStale {
			t.Errorf("after the end: %v", err)
		}
		if w.w, err = w.s.Attach(Source{Epoch: e(1, 7)}); err != nil {
			t.Errorf("an equal epoch: %v", err)
		}
	})
}

func TestP3RepublishContinuesForViewers(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(70_000)
		v := w.join(openSink(), JoinOptions{})
		w.w.Close()
		w.attach("two")
		w.headers(1)
		w.write(rtmp.Video, 0, avcHeader(2))
		w.video(0, false) // before the new source's first key frame
		sound := w.audio(10)
		key := w.video(40, true)
		w.gop(80)
		list := w.seen(v)
		var last [32]uint32
		for _, g := range list {
			if !g.header && g.ts < last[g.typ] {
				t.Errorf("%+v goes back from %d", g, last[g.typ])
			}
			last[g.typ] = max(last[g.typ], g.ts)
		}
		i := slices.IndexFunc(list, func(g got) bool { return g.header && g.ver == 2 })
		j := slices.IndexFunc(list, func(g got) bool { return g.seq == key })
		if i < 0 || j < i || list[j-1].seq != sound || list[j].ts != list[j-1].ts+30 {
			t.Errorf("the splice: header %d, key frame %d: %+v", i, j, list[50:56])
		}
		if want := uint32(70_000 + 965 + 40); list[j-1].ts != want {
			t.Errorf("goes on at %d, want %d", list[j-1].ts, want)
		}
		if w.of(ReasonWaitKeyframe) != 1 {
			t.Errorf("counted %v", w.n)
		}
	})
}

func TestP3SameTimelineResumesWithoutDoubles(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(openSink(), JoinOptions{})
		// The next feed starts at its key frame, as feeds do.
		w.attach("one")
		w.headers(1)
		w.seq = 0
		w.gop(0)
		w.video(1000, false)
		w.audio(1005)
		if got := seqs(w.seen(v)); !slices.Equal(got, rangeOf(1, 52)) {
			t.Errorf("frames %v", got)
		}
		if n := w.of(ReasonAlreadyDelivered); n != 50 {
			t.Errorf("%d doubles counted", n)
		}
		// With a hole, pictures wait for the key frame.
		w.attach("one")
		w.video(1200, false)
		key := w.video(1240, true)
		if got := seqs(w.seen(v)); got[len(got)-1] != key || got[len(got)-2] != 52 {
			t.Errorf("over a hole: %v", got[50:])
		}
	})
}

func TestTracksThatAreGoneAreNotAnnounced(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		w.attach("two")
		w.write(rtmp.Video, 0, avcHeader(1))
		w.video(0, true)
		list := w.seen(w.join(openSink(), JoinOptions{}))
		if len(list) != 2 || list[0].typ != rtmp.Video || !list[1].key {
			t.Errorf("a joiner gets %+v", list)
		}
	})
}

func TestClockSaysHowFarTimesWereMoved(t *testing.T) {
	var c timeline
	is := func(what, base string, shift uint32) {
		t.Helper()
		if got := c.clock(); got != (Clock{base, shift}) {
			t.Errorf("%s: %v", what, got)
		}
	}
	c.begin(Clock{Base: "a"})
	is("before the first frame", "", 0)
	feed(&c, flagVideo, 1000)
	is("a first source", "a", 0)
	c.begin(Clock{Base: "a"})
	feed(&c, flagVideo, 1000, 1040)
	is("taken up again", "a", 0)
	c.begin(Clock{Base: "b", Shift: 100})
	is("a second source that has said nothing", "a", 0)
	feed(&c, flagVideo, 105) // 5 on the publisher's clock, now at 1080
	is("a second source", "b", 1075)
	c.begin(Clock{Base: "b"})
	feed(&c, flagVideo, 5, 45)
	is("the same from another node", "b", 1075)
	feed(&c, flagVideo, 100_000)
	feed(&c, flagVideo, 10) // the encoder restarted its clock: downstream it goes on
	is("restarted", "b", 1075)

	// A first source that others have moved passes through.
	c = timeline{}
	c.begin(Clock{Base: "b", Shift: 0xffff_ff00})
	if got := feed(&c, flagVideo, 500, 540); !slices.Equal(got, []int64{500, 540}) {
		t.Errorf("a moved first source is delivered at %v", got)
	}
	is("a moved first source", "b", 0xffff_ff00)
}

// What was delivered of a clock is known by its time there, however often it was moved, and
// whatever came in between.
func TestTimelineKnowsWhatItHasOfEveryClock(t *testing.T) {
	var c timeline
	c.begin(Clock{Base: "a"})
	feed(&c, flagVideo, 1000, 1040, 1080)
	feed(&c, flagAudio, 1000, 1020)
	c.begin(Clock{Base: "b"})
	feed(&c, flagVideo, 0, 40) // 1120, 1160
	c.begin(Clock{Base: "a", Shift: 7000})
	if got := feed(&c, flagVideo, 8000, 8040, 8080, 8120, 8160); !slices.Equal(got, []int64{-1, -1, -1, 1200, 1240}) {
		t.Errorf("a again, moved by its sender: %v", got)
	}
	if got := feed(&c, flagAudio, 8020, 8118, 8140); !slices.Equal(got, []int64{-1, 1198, 1220}) {
		t.Errorf("its sound, in step as before: %v", got)
	}
	c.begin(Clock{Base: "b", Shift: 60})
	if got := feed(&c, flagVideo, 60, 100, 140); !slices.Equal(got, []int64{-1, -1, 1280}) {
		t.Errorf("b again: %v", got)
	}
	// A source of which nothing has come changes nothing.
	c.begin(Clock{Base: "c"})
	c.begin(Clock{Base: "b"})
	if got := feed(&c, flagVideo, 80, 120); !slices.Equal(got, []int64{-1, 1320}) {
		t.Errorf("b after a silent c: %v", got)
	}
	// Frames of one time are counted.
	c.begin(Clock{Base: "b"})
	if got := feed(&c, flagVideo, 120, 120, 120); !slices.Equal(got, []int64{-1, 1320, 1320}) {
		t.Errorf("three at one time, of which one was there: %v", got)
	}
	for i := range 2 * maxClocks {
		c.begin(Clock{Base: string(rune('A' + i))})
		feed(&c, flagVideo, 0)
	}
	if len(c.known) > maxClocks {
		t.Errorf("remembers %d clocks", len(c.known))
	}
}

// One frame whose time was far ahead by mistake: the next source, which is right, is not kept out until it gets there.
func TestP3AStrayTimeKeepsNobodyOut(t *testing.T) {
	for _, back := range []bool{true, false} {
		var c timeline
		var now time.Duration
		last := int64(-1)
		dropped := 0
		at := func(now time.Duration, kind flags, ts uint32) {
			ms, r := c.media(now, kind, 0, ts)
			if r != "" {
				dropped++
				return
			}
			if kind == flagVideo && ms <= last {
				t.Fatalf("back %t: the picture of %d comes at %d after %d", back, ts, ms, last)
			}
			last = max(last, ms)
		}
		run := func(from, to uint32) {
			for ts := from; ts < to; ts += 40 {
				at(now, flagVideo, ts)
				at(now, flagAudio, ts)
				now += 40 * time.Millisecond
			}
		}
		c.begin(Clock{Base: "one"})
		run(0, 10_000)
		at(now, flagVideo, 40_000)
		if back {
			run(10_040, 11_000)
		}
		if dropped > 0 {
			t.Fatalf("back %t: %d frames of the first source are dropped", back, dropped)
		}
		c.begin(Clock{Base: "one"})
		for ts := uint32(9_000); ts < 11_000; ts += 40 { // what it repeats
			at(now, flagVideo, ts)
			at(now, flagAudio, ts)
		}
		dropped = 0
		run(11_000, 41_000)
		if most := 2 * 3 * 25; dropped == 0 || dropped > most {
			t.Errorf("back %t: %d frames of the next source are dropped, want at most 3 s, %d", back, dropped, most)
		}
	}
}

// What is repeated is not delivered, however slowly it comes, if not at the pace of a live stream, and a source that is
// a little behind gets there.
func TestRepeatsThatComeSlowly(t *testing.T) {
	for _, p := range []struct {
		pace float64 // of a live stream's
		from uint32  // where the source begins; 20 s are there
		drop uint32  // until where it is dropped
	}{
		{1000, 0, 20_000}, {4, 0, 20_000}, {1.4, 0, 20_000}, {0.5, 0, 20_000},
		{1, 16_000, 20_000}, {1, 17_990, 20_000},
		{1, 0, 1_999},
	} {
		var c timeline
		c.begin(Clock{Base: "one"})
		for ts := uint32(0); ts <= 20_000; ts += 40 {
			feed(&c, flagVideo, ts)
		}
		c.begin(Clock{Base: "one"})
		var now time.Duration
		first := p.from
		for ; ; first += 40 {
			if _, r := c.media(now, flagVideo, 0, first); r == "" {
				break
			}
			now += time.Duration(40 * float64(time.Millisecond) / p.pace)
		}
		if first <= p.drop || first > p.drop+200 {
			t.Errorf("at pace %.4g, from %d: %d is the first that is delivered, want one after %d", p.pace, p.from, first, p.drop)
		}
	}
}

// A publisher that comes back after another one: pictures wait for a key frame that viewers have
// not had, since those before it refer to what they had before the other one's.
func TestP1ReturnOfAClockRepeatsNothing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(openSink(), JoinOptions{})
		last := w.seq
		w.attach("rival")
		w.headers(2)
		w.gop(5000)
		rival := w.seq
		w.attach("one")
		w.headers(1)
		w.seq = 0
		w.gop(0)
		w.seq = rival
		sound := w.audio(1005)
		w.video(1000, false)
		key := w.video(1040, true)
		want := append(rangeOf(1, rival), sound, key)
		if got := seqs(w.seen(v)); !slices.Equal(got, want) {
			t.Errorf("%d of the first, then the rival's up to %d, then %d and %d: got %v", last, rival, sound, key, got)
		}
	})
}
