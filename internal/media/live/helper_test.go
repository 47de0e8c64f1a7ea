package live

import (
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/stream"
	"weir/rtmp"
)

var testName = stream.Name{App: "live", Stream: "alice"}

// The payloads of a test publisher. A header carries its version, a frame the
// version of the headers that it needs and a sequence number, so that a viewer
// can tell what it missed.

func avcHeader(version byte) []byte {
	return []byte{0x17, 0, 0, 0, 0, 1, 0x64, 0, 31, 0xff, 0xe0 | 1, 0, 1, version, 0}
}

func aacHeader(version byte) []byte { return []byte{0xaf, 0, 0x12, 0x10, version} }

func video(key bool, version byte, seq uint32, size int) []byte {
	b := make([]byte, max(size, 10))
	b[0], b[1] = 0x27, 1
	if key {
		b[0] = 0x17
	}
	b[5] = version
	binary.BigEndian.PutUint32(b[6:], seq)
	return b
}

func audio(version byte, seq uint32, size int) []byte {
	b := make([]byte, max(size, 7))
	b[0], b[1], b[2] = 0xaf, 1, version
	binary.BigEndian.PutUint32(b[3:], seq)
	return b
}

func metadata(version byte) []byte {
	return append([]byte("\x02\x00\x0aonMetaData\x02\x00\x01"), version)
}

// got is one message as a viewer saw it.
type got struct {
	typ    rtmp.MessageType
	ts     uint32
	header bool
	key    bool
	ver    byte
	seq    uint32
	size   int
}

func look(t rtmp.MessageType, ts uint32, p []byte) got {
	g := got{typ: t, ts: ts, size: len(p)}
	switch t {
	case rtmp.Video:
		if g.header = p[1] == 0; g.header {
			g.ver = p[13]
			break
		}
		g.key, g.ver, g.seq = p[0]>>4 == 1, p[5], binary.BigEndian.Uint32(p[6:])
	case rtmp.Audio:
		if g.header = p[1] == 0; g.header {
			g.ver = p[4]
			break
		}
		g.ver, g.seq = p[2], binary.BigEndian.Uint32(p[3:])
	case rtmp.DataAMF0:
		if g.header = isMetadata(p); g.header {
			g.ver = p[len(p)-1]
		}
	}
	return g
}

// sink is a socket with a buffer of a given size that nobody may read.
type sink struct {
	mu     sync.Mutex
	all    []byte
	room   int // bytes that it still takes; < 0 = all
	err    error
	writes int
}

func openSink() *sink { return &sink{room: -1} }

func (s *sink) TryWrite(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n := len(b)
	if s.room >= 0 {
		n = min(n, s.room)
		s.room -= n
	}
	s.writes++
	s.all = append(s.all, b[:n]...)
	return n, nil
}

func (s *sink) drain(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || s.room < 0 {
		s.room = -1
		return
	}
	s.room += n
}

func (s *sink) taken() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.all...)
}

var setChunkSize = rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.SetChunkSize, Payload: []byte{0, 1, 0, 0}}, 128)

// decode reads what a viewer received, as its RTMP library would.
func decode(t testing.TB, b []byte) (list []got) {
	t.Helper()
	d := rtmp.NewDecoder(rtmp.Limits{})
	for len(b) > 0 {
		n, m, err := d.Decode(b)
		if err != nil {
			t.Fatalf("the viewer's decoder: %v", err)
		}
		b = b[n:]
		switch {
		case m == nil && n == 0:
			t.Fatal("the viewer's decoder stands still")
		case m == nil || m.Type == rtmp.SetChunkSize:
		default:
			if m.Type.IsMedia() && m.StreamID != StreamID {
				t.Fatalf("%v on message stream %d", m.Type, m.StreamID)
			}
			list = append(list, look(m.Type, m.Timestamp, m.Payload))
		}
	}
	return list
}

// counts is an Observer.
type counts struct {
	mu sync.Mutex
	n  map[Reason]int
}

func (c *counts) observer() Observer {
	c.n = map[Reason]int{}
	return Observer{Count: func(_ stream.Name, r Reason, n int) {
		c.mu.Lock()
		c.n[r] += n
		c.mu.Unlock()
	}}
}

func (c *counts) of(r Reason) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[r]
}

// world is a hub with one stream and one source, inside a synctest bubble.
type world struct {
	testing.TB
	*counts
	hub *Hub
	s   *Stream
	w   *Writer
	seq uint32
}

func inWorld(t *testing.T, o Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		defer w.close()
		f(w)
	})
}

func newWorld(t testing.TB, o Options) *world {
	w := &world{TB: t, counts: &counts{}}
	o.Observer = w.counts.observer()
	if o.Pumps == 0 {
		o.Pumps = 2
	}
	w.hub = NewHub(o)
	w.s = w.hub.Open(testName)
	w.attach("one")
	return w
}

func (w *world) close() {
	w.w.Close()
	w.hub.Close()
	w.s.Release()
	for s := range w.hub.Streams() {
		w.Errorf("%v is left over with %d holds", s.Name(), s.holds)
	}
}

func (w *world) attach(timeline string) {
	w.Helper()
	var err error
	if w.w, err = w.s.Attach(Source{Timeline: timeline}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(t rtmp.MessageType, ts uint32, p []byte) {
	w.Helper()
	if err := w.w.Write(t, ts, p); err != nil {
		w.Fatal(err)
	}
}

func (w *world) headers(version byte) {
	w.write(rtmp.DataAMF0, 0, metadata(version))
	w.write(rtmp.Video, 0, avcHeader(version))
	w.write(rtmp.Audio, 0, aacHeader(version))
}

func (w *world) video(ts uint32, key bool) uint32 { return w.sized(ts, key, 100) }

func (w *world) sized(ts uint32, key bool, size int) uint32 {
	w.seq++
	w.write(rtmp.Video, ts, video(key, 1, w.seq, size))
	return w.seq
}

func (w *world) audio(ts uint32) uint32 {
	w.seq++
	w.write(rtmp.Audio, ts, audio(1, w.seq, 50))
	return w.seq
}

// gop writes a second of 25 pictures and sounds from ts on, the first a key frame.
func (w *world) gop(ts uint32) {
	for i := range uint32(25) {
		w.video(ts+40*i, i == 0)
		w.audio(ts + 40*i + 5)
	}
}

// viewer is a viewer on a sink.
type viewer struct {
	*Viewer
	*sink
	ended  chan struct{}
	reason Reason
	err    error
}

func (w *world) join(s *sink, o JoinOptions) *viewer {
	v := &viewer{sink: s, ended: make(chan struct{})}
	o.Sink = s
	if o.Form == RTMP {
		o.Preamble = setChunkSize
	}
	o.OnEnd = func(r Reason, err error) {
		v.reason, v.err = r, err
		close(v.ended)
	}
	v.Viewer = w.s.Join(o)
	synctest.Wait()
	return v
}

func (v *viewer) isEnded() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// seen is what the viewer has received after everything has settled.
func (w *world) seen(v *viewer) []got {
	w.Helper()
	synctest.Wait()
	return decode(w, v.taken())
}

// elapse lets the bubble's clock run.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func seqs(list []got) (s []uint32) {
	for _, g := range list {
		if !g.header {
			s = append(s, g.seq)
		}
	}
	return s
}

func rangeOf(from, to uint32) (s []uint32) {
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}

// passAll is a pass over all beats, rested or not.
func passAll(p *pump, now time.Duration) {
	for _, b := range *p.beats.Load() {
		p.pass(b, now)
	}
}
