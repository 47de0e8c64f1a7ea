package live

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"weir/rtmp"
)

func TestP4SlowViewerSkipsToAKeyFrame(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		slow := w.join(&sink{room: 1500}, JoinOptions{}) // stops within a message
		fast := w.join(openSink(), JoinOptions{})
		had := len(slow.taken())
		for i := range uint32(3) {
			elapse(time.Second)
			if i == 1 {
				w.headers(2)
			}
			w.gop(1000 * (i + 1))
		}
		if len(slow.taken()) != had {
			t.Fatal("the sink took more than it has room for")
		}
		slow.drain(-1)
		elapse(time.Second)
		list := w.seen(slow)
		// It goes on after the cut message at the newest key frame, behind the
		// headers that changed meanwhile.
		i := slices.IndexFunc(list, func(g got) bool { return g.header && g.ver == 2 })
		if i < 4 {
			t.Fatalf("no new headers in %+v", list)
		}
		wantHeadersFirst(w, list[i:], 2, 3000)
		if !list[i+3].key || list[i+3].ts != 3000 {
			t.Errorf("goes on with %+v", list[i+3])
		}
		if got := seqs(list[i:]); !slices.Equal(got, rangeOf(151, 200)) {
			t.Errorf("frames after the skip: %v", got)
		}
		if w.of(ReasonLagging) != 1 || slow.Viewer.Stats().Skips != 1 {
			t.Errorf("counted %v", w.n)
		}
		if got := seqs(w.seen(fast)); !slices.Equal(got, rangeOf(1, 200)) {
			t.Error("another viewer lost frames")
		}
	})
}

func TestSkipWithoutAChangeSendsNoHeaders(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		slow := w.join(&sink{room: 700}, JoinOptions{})
		for i := range uint32(3) {
			elapse(time.Second)
			w.gop(1000 * (i + 1))
		}
		slow.drain(-1)
		elapse(time.Second)
		n := 0
		for _, g := range w.seen(slow) {
			if g.header {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d headers, want those of the join", n)
		}
	})
}

func TestStalledViewerIsClosed(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(&sink{room: 300}, JoinOptions{})
		elapse(9 * time.Second)
		v.drain(1) // the least of progress
		elapse(9 * time.Second)
		if v.isEnded() {
			t.Fatal("closed in spite of progress")
		}
		elapse(1200 * time.Millisecond)
		if !v.isEnded() || v.reason != ReasonStalled {
			t.Fatalf("ended %v: %q", v.isEnded(), v.reason)
		}
		if w.of(ReasonStalled) != 1 {
			t.Errorf("counted %v", w.n)
		}
	})
}

func TestIdleStreamStallsNobody(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(openSink(), JoinOptions{})
		elapse(time.Minute)
		w.gop(60_000)
		if v.isEnded() || len(seqs(w.seen(v))) != 100 {
			t.Error("a viewer of an idle stream was closed or lost frames")
		}
	})
}

func TestControlBytesKeepMessagesWhole(t *testing.T) {
	ping := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.UserControl, Payload: []byte{0, 7, 0, 0, 0, 1}}, ChunkSize)
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(&sink{room: 0}, JoinOptions{})
		for range 200 {
			if err := v.Send(ping); err != nil {
				t.Fatal(err)
			}
			v.drain(37)
			elapse(maxRetry)
		}
		v.drain(-1)
		elapse(maxRetry)
		pings := 0
		for _, g := range w.seen(v) {
			if g.typ == rtmp.UserControl {
				pings++
			}
		}
		if pings != 200 {
			t.Errorf("%d control messages arrived", pings)
		}
		stuck := w.join(&sink{room: 1}, JoinOptions{})
		var err error
		for i := 0; err == nil && i < MaxControlBytes; i++ {
			err = stuck.Send(ping)
		}
		if !errors.Is(err, ErrControlFull) {
			t.Errorf("a viewer that reads nothing: %v", err)
		}
	})
}

func TestPauseAndReceive(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		v := w.join(openSink(), JoinOptions{})
		v.Pause(true)
		synctest.Wait()
		w.gop(1000)
		w.gop(2000)
		if got := seqs(w.seen(v)); !slices.Equal(got, rangeOf(1, 50)) {
			t.Errorf("during the pause: %v", got)
		}
		v.Pause(false)
		if got := seqs(w.seen(v)); !slices.Equal(got[50:], rangeOf(101, 150)) {
			t.Errorf("after the pause: %v", got[50:])
		}

		v.SetReceive(true, false)
		synctest.Wait()
		w.gop(3000)
		list := w.seen(v)[103+50-50:]
		for _, g := range list {
			if g.typ == rtmp.Video {
				t.Fatalf("a picture nobody wants: %+v", g)
			}
		}
		if len(list) != 25 {
			t.Errorf("%d sounds", len(list))
		}
		v.SetReceive(true, true)
		synctest.Wait()
		w.video(4000, false)
		w.audio(4005)
		key := w.video(4040, true)
		next := w.video(4080, false)
		list = w.seen(v)
		if got := seqs(list[len(list)-3:]); !slices.Equal(got, []uint32{key - 1, key, next}) {
			t.Errorf("pictures come back as %v", got)
		}
	})
}

func TestNoVideoNeedsNoKeyFrame(t *testing.T) {
	inWorld(t, Options{RetainTime: time.Second}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		for ts := uint32(0); ts < 3000; ts += 40 {
			w.video(ts, false)
			w.audio(ts)
		}
		v := w.join(openSink(), JoinOptions{NoVideo: true})
		a := w.audio(3000)
		w.video(3000, false)
		if got := seqs(w.seen(v)); !slices.Equal(got, []uint32{a}) {
			t.Errorf("frames %v", got)
		}
	})
}

func TestEndSendsTheRestThenTheTrailer(t *testing.T) {
	trailer := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.UserControl, Payload: []byte{0, 1, 0, 0, 0, 1}}, ChunkSize)
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		o := JoinOptions{Trailer: trailer}
		fast, slow := w.join(openSink(), o), w.join(&sink{room: 1000}, o)
		paused := w.join(openSink(), o)
		paused.Pause(true)
		w.s.End(ReasonUnpublished)
		if err := w.w.Write(rtmp.Audio, 1000, audio(1, 1, 9)); !errors.Is(err, ErrFenced) {
			t.Errorf("a write after the end: %v", err)
		}
		synctest.Wait()
		if !fast.isEnded() || slow.isEnded() || !paused.isEnded() {
			t.Fatal("ended: fast, slow, paused =", fast.isEnded(), slow.isEnded(), paused.isEnded())
		}
		// Another broadcast, with a clock and headers of its own.
		w.attach("two")
		w.headers(2)
		w.gop(500_000)
		late := w.join(openSink(), o)
		list := w.seen(late)
		i := slices.IndexFunc(list, func(g got) bool { return !g.header })
		wantHeadersFirst(w, list[i-3:], 2, 500_000)
		slow.drain(-1)
		elapse(maxRetry)
		for _, v := range []*viewer{fast, slow} {
			list := w.seen(v)
			if v.reason != ReasonUnpublished || v.err != nil || list[len(list)-1].typ != rtmp.UserControl {
				t.Errorf("ended with %q, %v", v.reason, v.err)
			}
			if got := seqs(list[:len(list)-1]); !slices.Equal(got, rangeOf(1, 50)) {
				t.Errorf("frames %v", got)
			}
		}
		if err := fast.Send(trailer); !errors.Is(err, ErrViewerGone) {
			t.Errorf("Send after the end: %v", err)
		}
	})
}

func TestEveryEndIsToldOnce(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		broken := w.join(openSink(), JoinOptions{})
		left, stays := w.join(openSink(), JoinOptions{}), w.join(openSink(), JoinOptions{})
		boom := errors.New("boom")
		broken.sink.mu.Lock()
		broken.sink.err = boom
		broken.sink.mu.Unlock()
		left.Close()
		left.Close()
		w.video(1000, true)
		synctest.Wait()
		if !broken.isEnded() || broken.reason != ReasonWriteFailed || broken.err != boom {
			t.Errorf("broken: %q, %v", broken.reason, broken.err)
		}
		if !left.isEnded() || left.reason != ReasonLeft {
			t.Errorf("left: %q", left.reason)
		}
		if n := w.s.Info().Viewers; n != 1 {
			t.Errorf("%d viewers", n)
		}
		w.hub.Close()
		if !stays.isEnded() || stays.reason != ReasonShutdown {
			t.Errorf("at the end: %q", stays.reason)
		}
		if v := w.join(openSink(), JoinOptions{}); !v.isEnded() || v.reason != ReasonShutdown {
			t.Errorf("after the end: %q", v.reason)
		}
	})
}

// Whoever is told of the end finds nothing of the viewer left.
func TestAnEndIsToldWhenTheViewerHoldsNothing(t *testing.T) {
	h := NewHub(Options{Pumps: 1})
	defer h.Close()
	s := h.Open(testName)
	left := make(chan bool)
	v := s.Join(JoinOptions{Sink: openSink(), OnEnd: func(Reason, error) {
		_, ok := h.Lookup(testName)
		left <- ok
	}})
	s.Release()
	v.Close()
	if <-left {
		t.Error("the stream is left over")
	}
}
