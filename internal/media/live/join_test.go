package live

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"weir/flv"
	"weir/rtmp"
)

func wantHeadersFirst(t testing.TB, list []got, version byte, ts uint32) {
	t.Helper()
	want := []rtmp.MessageType{rtmp.DataAMF0, rtmp.Video, rtmp.Audio}
	if len(list) < len(want) {
		t.Fatalf("%d messages, want at least the headers", len(list))
	}
	for i, typ := range want {
		ts := ts
		if typ == rtmp.DataAMF0 {
			ts = 0 // metadata belongs to the whole file
		}
		if g := list[i]; g.typ != typ || !g.header || g.ver != version || g.ts != ts {
			t.Fatalf("message %d is %+v, want header %v version %d at %d", i, g, typ, version, ts)
		}
	}
}

func TestJoinInMidGOPStartsAtKeyFrame(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(1000)
		w.gop(2000)
		first := w.seq - 49
		v := w.join(openSink(), JoinOptions{})
		w.video(3000, false)
		list := w.seen(v)
		wantHeadersFirst(w, list, 1, 2000)
		if got := seqs(list); !slices.Equal(got, rangeOf(first, w.seq)) {
			t.Errorf("frames %v, want %d to %d", got, first, w.seq)
		}
		if !list[3].key {
			t.Error("the first frame is not a key frame")
		}
		if v.writes > 4 {
			t.Errorf("%d writes for preamble with headers, GOP and one frame", v.writes)
		}
	})
}

func TestJoinBeforeTheStream(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		v := w.join(openSink(), JoinOptions{})
		if !bytes.Equal(v.taken(), setChunkSize) {
			t.Error("the preamble waits for the stream")
		}
		w.headers(1)
		w.gop(0)
		list := w.seen(v)
		// It may have been greeted with the first of the headers before.
		i := slices.IndexFunc(list, func(g got) bool { return !g.header })
		wantHeadersFirst(w, list[i-3:], 1, 0)
		if !slices.Equal(seqs(list), rangeOf(1, 50)) {
			t.Errorf("frames %v", seqs(list))
		}
	})
}

func TestGOPOverTheBoundsMakesJoinersWait(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		inWorld(t, Options{}, func(w *world) {
			w.headers(1)
			w.video(0, true)
			for ts := uint32(40); ts <= 10_040; ts += 40 {
				w.video(ts, false)
				w.audio(ts)
			}
			waitsForKey(w, 10_080)
			if w.of(ReasonGOPTooLong) != 1 {
				t.Errorf("counted %v", w.n)
			}
		})
	})
	t.Run("bytes", func(t *testing.T) {
		inWorld(t, Options{}, func(w *world) {
			w.headers(1)
			w.video(0, true)
			for ts := range uint32(18) {
				w.sized(ts, false, 1<<20)
			}
			if kept := w.s.Info().KeptBytes; kept > DefaultRetainBytes+2<<20+DefaultSegmentBytes {
				t.Errorf("%d bytes kept", kept)
			}
			waitsForKey(w, 1000)
			if w.of(ReasonGOPTooLarge) != 1 {
				t.Errorf("counted %v", w.n)
			}
		})
	})
}

func waitsForKey(w *world, ts uint32) {
	w.Helper()
	v := w.join(openSink(), JoinOptions{})
	w.video(ts, false)
	w.audio(ts)
	list := w.seen(v)
	wantHeadersFirst(w, list, 1, list[0].ts)
	if len(list) != 3 {
		w.Errorf("a joiner without a key frame got %+v", list[3:])
	}
	key := w.video(ts+40, true)
	w.audio(ts + 40)
	list = w.seen(v)
	if !slices.Equal(seqs(list), []uint32{key, key + 1}) || len(list) != 5 {
		w.Errorf("after the key frame: %+v", list)
	}
}

func TestRetentionFreesWhatNobodyNeeds(t *testing.T) {
	inWorld(t, Options{SegmentBytes: 64 << 10}, func(w *world) {
		w.headers(1)
		for sec := range uint32(60) {
			for i := range uint32(25) {
				w.sized(sec*1000+40*i, i == 0, 10_000)
				elapse(40 * time.Millisecond)
			}
		}
		// A frame a segment of 16 KiB, 25 a second: overlapTime rounded up to groups, a segment at each end.
		if kept := w.s.Info().KeptBytes; kept > 3*25*16<<10+3*64<<10 {
			t.Errorf("%d bytes kept", kept)
		}
	})
}

func TestAudioOnlyJoinsWithinTheLastSecond(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.write(rtmp.Audio, 0, aacHeader(1))
		for ts := uint32(0); ts <= 60_000; ts += 20 {
			w.audio(ts)
		}
		list := w.seen(w.join(openSink(), JoinOptions{}))
		if !list[0].header || list[1].header {
			t.Fatalf("starts with %+v", list[:2])
		}
		if back := 60_000 - list[1].ts; back < 400 || back > 1100 {
			t.Errorf("starts %d ms back", back)
		}
		if back := 60_000 - list[0].ts; list[0].ts != list[1].ts {
			t.Errorf("headers %d ms back", back)
		}
	})
}

func TestPicturesThatStopDoNotHoldJoiners(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		for ts := uint32(1000); ts < 12_000; ts += 20 {
			w.audio(ts)
		}
		v := w.join(openSink(), JoinOptions{})
		if n := len(seqs(w.seen(v))); n == 0 {
			t.Fatal("the joiner still waits for a key frame")
		}
		w.video(12_000, false)
		key := w.video(12_040, true)
		list := w.seen(v)
		if last := list[len(list)-1]; last.seq != key || list[len(list)-2].typ != rtmp.Audio {
			t.Errorf("pictures come back with %+v", list[len(list)-2:])
		}
	})
}

func TestAGapOfThePublisherDropsNothing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(openSink(), JoinOptions{})
		w.audio(60_000)
		w.video(60_000, false)
		if got := seqs(w.seen(v)); !slices.Equal(got, rangeOf(1, w.seq)) {
			t.Errorf("frames %v", got)
		}
	})
}

func TestHeadersAreSentOnChangeOnly(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		v := w.join(openSink(), JoinOptions{})
		for i := range uint32(5) {
			w.headers(1)
			w.gop(1000 * i)
		}
		w.headers(2)
		w.gop(5000)
		w.video(6000, false)
		w.write(rtmp.Video, 6040, avcHeader(3))
		w.video(6080, false)
		var vers []byte
		for _, g := range w.seen(v) {
			if g.header && g.typ == rtmp.Video {
				vers = append(vers, g.ver)
			}
		}
		if !slices.Equal(vers, []byte{1, 2, 3}) {
			t.Errorf("video headers %v", vers)
		}
		if n := w.of(ReasonRepeatedHeader); n != 15 {
			t.Errorf("%d repeats counted", n)
		}
		// A joiner gets those valid at its key frame, and the change in its place.
		list := w.seen(w.join(openSink(), JoinOptions{}))
		wantHeadersFirst(w, list, 2, 5000)
		last := list[len(list)-3:]
		if last[1].ver != 3 || !last[1].header || last[0].ts != 6000 {
			t.Errorf("the end is %+v", last)
		}
	})
}

func TestTooLargeHeadersAreRefused(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.write(rtmp.Video, 0, append(avcHeader(1), make([]byte, MaxHeaderBytes)...))
		if w.of(ReasonHeadersTooLarge) != 1 || w.s.headers.all() != nil {
			t.Error("accepted")
		}
	})
}

func TestFLVFormOnDemand(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0x00ff_ffff - 500)
		w.sized(0x0100_0300, false, 200_000) // several chunks, with extended timestamps
		if w.s.logs[FLV].Load() != nil {
			t.Error("an FLV log nobody asked for")
		}
		head := flv.AppendHeader(nil, true, true)
		a := w.join(openSink(), JoinOptions{Form: FLV, Preamble: head})
		b := w.join(openSink(), JoinOptions{})
		w.video(0x0100_0340, false)
		want := w.seen(b)
		r := flv.NewReader(bytes.NewReader(a.taken()), 0)
		if _, err := r.ReadHeader(); err != nil {
			t.Fatal(err)
		}
		for i, g := range want {
			tag, err := r.ReadTag()
			if err != nil {
				t.Fatalf("tag %d: %v", i, err)
			}
			if is := look(rtmp.MessageType(tag.Type), tag.Timestamp, tag.Payload); is != g {
				t.Errorf("tag %d is %+v, in RTMP %+v", i, is, g)
			}
		}
		a.Close()
		<-a.ended
		if w.s.logs[FLV].Load() != nil {
			t.Error("the FLV log stays after its last user")
		}
	})
}

// What a source on another clock has left behind is not shown to joiners under the
// new one's name: a node that pulled the old one elsewhere has it already.
func TestJoinAfterAChangeOfClockStartsAtTheNewSource(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(1000)
		w.attach("another")
		v := w.join(openSink(), JoinOptions{})
		w.headers(2)
		for _, g := range w.seen(v) {
			if !g.header {
				t.Fatalf("got %+v before the new source's first frame", g)
			}
		}
		first := w.video(0, true)
		if got := seqs(w.seen(v)); !slices.Equal(got, []uint32{first}) {
			t.Errorf("frames %v, want the key frame %d", got, first)
		}
	})
}

// The same clock from elsewhere is the same stream: it may be joined at once.
func TestJoinAfterAMoveStartsAtOnce(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.attach("clock")
		w.headers(1)
		w.gop(1000)
		w.attach("clock")
		if got := seqs(w.seen(w.join(openSink(), JoinOptions{}))); len(got) == 0 {
			t.Error("nothing to see")
		}
	})
}
