package live

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/stream"
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

// What comes after the end of a broadcast is another one: those who watched the first get none of it,
// whoever is quicker, and their trailer is a message of its own.
func TestThePublisherDoesNotOvertakeTheEnd(t *testing.T) {
	trailer := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.UserControl, Payload: []byte{0, 1, 0, 0, 0, 1}}, ChunkSize)
	for _, room := range []int{-1, 1000} { // what the sockets take for now
		inWorld(t, Options{}, func(w *world) {
			w.headers(1)
			w.video(0, true)
			v := w.join(openSink(), JoinOptions{Trailer: trailer})
			last := w.audio(10)
			synctest.Wait()
			v.sink.mu.Lock()
			v.sink.room = room
			v.sink.mu.Unlock()
			w.s.End(ReasonUnpublished)
			w.attach("two")
			w.headers(2)
			w.sized(0, true, 10_000)
			synctest.Wait()
			v.drain(-1)
			elapse(maxRetry)
			list := w.seen(v)
			n := len(list) - 1
			if got := seqs(list[:n]); got[len(got)-1] != last || list[n].typ != rtmp.UserControl || !v.isEnded() {
				t.Errorf("room for %d: frames %v, then %v; ended: %v", room, got, list[n], v.isEnded())
			}
		})
	}
}

// The same for a pump that has read its mail just before.
func TestAPassLeavesWhatHasEndedToTheMail(t *testing.T) {
	h, s, w := still(t)
	if err := w.Write(rtmp.Video, 0, video(true, 1, 0, 100)); err != nil {
		t.Fatal(err)
	}
	p := h.pumps[0]
	out := openSink()
	var reason Reason
	s.Join(JoinOptions{Sink: out, OnEnd: func(r Reason, _ error) { reason = r }})
	p.readMail(h.now())
	passAll(p, h.now())
	had := len(out.taken())
	s.End(ReasonUnpublished)
	w, err := s.Attach(Source{Timeline: "two"})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{w.Write(rtmp.Video, 0, avcHeader(2)), w.Write(rtmp.Video, 0, video(true, 2, 1, 100))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	passAll(p, h.now())
	if got := len(out.taken()) - had; got != 0 {
		t.Errorf("%d bytes of the next broadcast", got)
	}
	p.readMail(h.now())
	passAll(p, h.now())
	if got := len(out.taken()) - had; got != 0 || reason != ReasonUnpublished {
		t.Errorf("%d bytes of the next broadcast, ended with %q", got, reason)
	}
}

// What was sent before a message comes before it.
func TestThePublisherDoesNotOvertakeControl(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		v := w.join(openSink(), JoinOptions{})
		w.audio(10)
		synctest.Wait()
		if err := v.Send(rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.Ack, Payload: []byte{0, 0, 0, 1}}, ChunkSize)); err != nil {
			t.Fatal(err)
		}
		w.audio(20)
		list := w.seen(v)
		if n := len(list); list[n-2].typ != rtmp.Ack || list[n-1].typ != rtmp.Audio {
			t.Errorf("%v, then %v", list[n-2], list[n-1])
		}
	})
}

// How long a stream's viewers take is not told from those of another, nor are thousands a surprise.
func TestTheCostIsTheGroupsOwn(t *testing.T) {
	inWorld(t, Options{Pumps: 1}, func(w *world) {
		w.headers(1)
		w.video(0, true)
		out := &dear{sink: sink{room: -1}, cost: 50 * time.Millisecond}
		w.s.Join(JoinOptions{Sink: out, Preamble: setChunkSize})
		other := w.hub.Open(stream.Name{App: "live", Stream: "bob"})
		defer other.Release()
		bob, err := other.Attach(Source{Timeline: "one"})
		if err != nil {
			t.Fatal(err)
		}
		defer bob.Close()
		if err := bob.Write(rtmp.Audio, 0, aacHeader(1)); err != nil {
			t.Fatal(err)
		}
		other.Join(JoinOptions{Sink: openSink(), Preamble: setChunkSize})
		elapse(time.Second)
		w.audio(0) // the first is a surprise
		for i := range uint32(200) {
			elapse(20 * time.Millisecond)
			if err := bob.Write(rtmp.Audio, 20*i, audio(1, i, 50)); err != nil {
				t.Fatal(err)
			}
			if i%50 == 49 {
				began := time.Now()
				w.audio(10 * i)
				if took := time.Since(began); took > 0 {
					t.Errorf("the publisher was held up for %v", took)
				}
			}
		}
	})
	crowd := &group{beat: &beat{}}
	crowd.count.Store(1000)
	if crowd.cost() <= longPass {
		t.Errorf("a thousand viewers cost %v", crowd.cost())
	}
}
