package live

import (
	"testing"
	"time"

	"weir/rtmp"
)

// null is a sink that takes everything.
type null struct{ bytes int }

func (n *null) TryWrite(b []byte) (int, error) {
	n.bytes += len(b)
	return len(b), nil
}

// still returns a hub whose pumps never run: the test is the pump.
func still(t testing.TB) (*Hub, *Stream, *Writer) { return stillWith(t, Options{}) }

func stillWith(t testing.TB, o Options) (*Hub, *Stream, *Writer) {
	o.Pumps = 1
	h := &Hub{opts: o.withDefaults(), start: time.Now(), streams: nil}
	h.pumps = []*pump{newPump(h, 0)}
	s := newStream(h, testName)
	s.holds = 1 << 20
	w, err := s.Attach(Source{Timeline: "one"})
	if err != nil {
		t.Fatal(err)
	}
	for typ, p := range map[rtmp.MessageType][]byte{rtmp.Video: avcHeader(1), rtmp.Audio: aacHeader(1)} {
		if err := w.Write(typ, 0, p); err != nil {
			t.Fatal(err)
		}
	}
	return h, s, w
}

// shape is a publisher of 2.5 Mb/s: 30 pictures of 10 KB and 47 sounds of 200
// bytes a second, a key frame of 60 KB every 2 s.
type shape struct {
	key, inter, sound []byte
	pictures, sounds  uint32
}

func newShape() *shape {
	return &shape{key: video(true, 1, 0, 60_000), inter: video(false, 1, 0, 9_200), sound: audio(1, 0, 200)}
}

// next is the next message.
func (s *shape) next() (rtmp.MessageType, uint32, []byte) {
	v, a := s.pictures*1000/30, s.sounds*1000/47
	if a < v {
		s.sounds++
		return rtmp.Audio, a, s.sound
	}
	s.pictures++
	if (s.pictures-1)%60 == 0 {
		return rtmp.Video, v, s.key
	}
	return rtmp.Video, v, s.inter
}

const messagesPerGOP = 154

func TestLogToSinkAllocatesNothing(t *testing.T) {
	h, s, w := still(t)
	sh, sinks := newShape(), make([]null, 100)
	write := func() {
		if err := w.Write(sh.next()); err != nil {
			t.Fatal(err)
		}
	}
	for range messagesPerGOP {
		write()
	}
	for i := range sinks {
		s.Join(JoinOptions{Sink: &sinks[i]})
	}
	p := h.pumps[0]
	p.readMail(h.now())
	// Segments, their table and a join point a GOP: in all well below one a message.
	for _, viewers := range []bool{false, true} {
		n := testing.AllocsPerRun(2*messagesPerGOP, func() {
			write()
			if viewers {
				passAll(p, h.now())
			}
		})
		if n != 0 {
			t.Errorf("%v allocations a message (viewers: %v)", n, viewers)
		}
	}
	// Without the log's own: exactly none.
	g := s.logs[RTMP].Load().groups[0].Load()
	n := testing.AllocsPerRun(10, func() {
		off := s.logs[RTMP].Load().join.Load().off
		g.lane.off.Store(off)
		g.lane.seg = s.logs[RTMP].Load().table.Load().at(off)
		p.serve(g, h.now(), new(tally))
	})
	if n != 0 {
		t.Errorf("%v allocations for a GOP to 100 viewers", n)
	}
	if sinks[0].bytes == 0 || sinks[99].bytes != sinks[0].bytes {
		t.Errorf("sent %d and %d bytes", sinks[0].bytes, sinks[99].bytes)
	}
}
