package live

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/rtmp"
)

// Nobody else has to run for a few viewers to get a message.
func TestAFewViewersAreServedByThePublisher(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		viewers := []*viewer{w.join(openSink(), JoinOptions{}), w.join(openSink(), JoinOptions{}), w.join(openSink(), JoinOptions{})}
		for range 3 {
			seq := w.audio(10)
			for i, v := range viewers {
				list := seqs(decode(t, v.taken()))
				if last := list[len(list)-1]; last != seq {
					t.Errorf("viewer %d: the last frame when Write returns is %d, want %d", i, last, seq)
				}
			}
			synctest.Wait()
		}
	})
}

// What comes together goes out together, by the pump.
func TestARunOfMessagesIsLeftToThePump(t *testing.T) {
	h, s, w := still(t)
	if err := w.Write(rtmp.Video, 0, video(true, 1, 0, 100)); err != nil {
		t.Fatal(err)
	}
	p := h.pumps[0]
	out := openSink()
	s.Join(JoinOptions{Sink: out})
	p.readMail(h.now())
	passAll(p, h.now())
	<-p.wake // by the join
	b := s.logs[RTMP].Load().groups[0].Load().beat
	b.asleep.Store(true)
	before := out.writes
	for i := range uint32(9) {
		if err := w.WriteRun(rtmp.Audio, i, audio(1, i, 50), true); err != nil {
			t.Fatal(err)
		}
	}
	if out.writes != before || len(p.wake) != 1 || b.asleep.Load() {
		t.Errorf("%d writes, %d wake-ups, asleep %v", out.writes-before, len(p.wake), b.asleep.Load())
	}
	passAll(p, h.now())
	if got := out.writes - before; got != 1 {
		t.Errorf("%d writes, want 1", got)
	}
	b.asleep.Store(true)
	if err := w.Write(rtmp.Audio, 9, audio(1, 9, 50)); err != nil {
		t.Fatal(err)
	}
	if got := out.writes - before; got != 2 {
		t.Errorf("%d writes after one message alone, want 2", got)
	}
}

// Viewers who take long are the pumps' business: the publisher is read meanwhile.
func TestALongPassIsLeftToThePump(t *testing.T) {
	inWorld(t, Options{Pumps: 1, MaxLatency: time.Millisecond}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		const cost = 3 * time.Millisecond
		out := &dear{sink: sink{room: -1}, cost: cost}
		w.s.Join(JoinOptions{Sink: out, Preamble: setChunkSize})
		synctest.Wait()
		for i := range uint32(5) {
			elapse(time.Second)
			began := time.Now()
			w.audio(10 * i)
			if took := time.Since(began); i > 0 && took > 0 {
				t.Errorf("message %d took the publisher %v", i, took)
			}
			elapse(time.Second)
		}
		if list := seqs(decode(t, out.taken())); len(list) != 6 {
			t.Errorf("frames %v", list)
		}
	})
}

// Whoever hears of an end may want what a publisher holds while it writes.
func TestThePumpTellsOfEndsThatThePublisherFinds(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		out := openSink()
		var mu sync.Mutex
		ended := make(chan Reason, 1)
		v := w.s.Join(JoinOptions{Sink: out, Preamble: setChunkSize, OnEnd: func(r Reason, _ error) {
			mu.Lock()
			defer mu.Unlock()
			ended <- r
		}})
		synctest.Wait()
		out.mu.Lock()
		out.err = errors.New("reset by peer")
		out.mu.Unlock()
		mu.Lock()
		w.audio(10)
		w.audio(20)
		if err := v.Send([]byte("late")); !errors.Is(err, ErrViewerGone) {
			t.Errorf("Send after the end: %v", err)
		}
		mu.Unlock()
		if r := <-ended; r != ReasonWriteFailed {
			t.Errorf("ended with %q", r)
		}
	})
}

// A socket that takes no more when the publisher sends is tried again by the pump's timer.
func TestThePumpTriesAgainWhatThePublisherCouldNotSend(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		v := w.join(openSink(), JoinOptions{})
		v.sink.mu.Lock()
		v.sink.room = 10
		v.sink.mu.Unlock()
		seq := w.audio(10)
		if n := len(v.taken()); v.sink.room != 0 {
			t.Fatalf("%d bytes taken, room for %d", n, v.sink.room)
		}
		v.drain(-1)
		elapse(minRetry)
		list := seqs(decode(t, v.taken()))
		if last := list[len(list)-1]; last != seq {
			t.Errorf("the last frame is %d, want %d", last, seq)
		}
	})
}
