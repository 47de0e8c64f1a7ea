package live

import (
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/stream"
	"weir/rtmp"
)

// Streams with different bounds are served by the same pump, each within its own.
func TestEachStreamHasItsOwnLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(Options{Pumps: 1, Latency: func(n stream.Name) Latency {
			return map[string]Latency{"low": {Low: true}, "long": {Max: 300 * time.Millisecond}}[n.App]
		}})
		defer h.Close()
		for app, bound := range map[string]time.Duration{"low": LowLatency, "live": DefaultMaxLatency, "long": 300 * time.Millisecond} {
			s := h.Open(stream.Name{App: app, Stream: "x"})
			defer s.Release()
			w, err := s.Attach(Source{Timeline: "one"})
			if err != nil {
				t.Fatal(err)
			}
			for typ, p := range map[rtmp.MessageType][]byte{rtmp.Video: avcHeader(1), rtmp.Audio: aacHeader(1)} {
				if err := w.Write(typ, 0, p); err != nil {
					t.Fatal(err)
				}
			}
			// A sink as dear as a thousand viewers: each pass costs 3 ms.
			out := &dear{sink: sink{room: -1}, cost: 3 * time.Millisecond}
			s.Join(JoinOptions{Sink: out})
			synctest.Wait()
			worst := time.Duration(0)
			for i := range uint32(100) {
				began, had := time.Now(), len(out.taken())
				if err := w.Write(rtmp.Video, i*33, video(i%60 == 0, 1, i, 1000)); err != nil {
					t.Fatal(err)
				}
				for len(out.taken()) == had {
					time.Sleep(time.Millisecond)
				}
				worst = max(worst, time.Since(began))
				time.Sleep(5 * time.Millisecond)
			}
			if worst > bound+2*time.Millisecond || worst < bound/3 {
				t.Errorf("%s: the longest wait was %v, the bound is %v", app, worst, bound)
			}
		}
	})
}

// A pass that waits for a picture is due when the first news has waited for the bound, whoever
// else has had some since.
func TestAPictureIsAwaitedSinceTheFirstNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, one, w := still(t)
		other := newStream(h, stream.Name{App: "live", Stream: "bob"})
		other.holds = 1 << 20
		for _, s := range []*Stream{one, other} {
			s.Join(JoinOptions{Sink: &null{}})
		}
		time.Sleep(time.Second)
		p := h.pumps[0]
		p.readMail(h.now())
		b := one.logs[RTMP].Load().groups[0].Load().beat
		theirs := other.logs[RTMP].Load().groups[0].Load()
		if theirs.beat != b {
			t.Fatal("two beats")
		}
		const took = 2 * time.Millisecond
		for range 2 {
			b.pace = pace{max: b.max, busy: true}
			start := h.now()
			p.pass(b, start)
			time.Sleep(took)
			b.rest(start, h.now(), tally{groups: 1, sends: 1, due: 1})
			time.Sleep(time.Millisecond)
			first := h.now()
			if err := w.Write(rtmp.Audio, uint32(first.Milliseconds()), audio(1, 0, 200)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Millisecond)
			theirs.touch(false)
			time.Sleep(start + b.max - h.now())
			if b.rested(h.now()) || b.restUntil != first+b.max-took {
				t.Errorf("the pass is due %v after the first news, want %v", b.restUntil-first, b.max-took)
			}
			time.Sleep(10 * time.Millisecond)
			if !b.rested(h.now()) {
				t.Error("no pass is due")
			}
		}
	})
}
