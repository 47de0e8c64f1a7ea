package live

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"weir/rtmp"
)

// walk reads a cursor to the end of what there is.
func walk(t testing.TB, c *Cursor, limit int) (list []got) {
	t.Helper()
	for {
		b := c.Peek(limit)
		if len(b) == 0 {
			return list
		}
		n := 0
		for n < len(b) {
			m, size, err := NextMessage(b[n:])
			if err != nil {
				t.Fatalf("Peek(%d) returned no whole messages: %v", limit, err)
			}
			n += size
			list = append(list, look(m.Type, m.Timestamp, m.Payload()))
		}
		if n > limit && len(list) > 1 && !list[0].header {
			t.Errorf("Peek(%d) returned %d bytes", limit, n)
		}
		c.Advance(n)
	}
}

func TestCursorSeesWhatAViewerSees(t *testing.T) {
	inWorld(t, Options{SegmentBytes: 4096}, func(w *world) {
		w.headers(1)
		w.gop(0)
		w.gop(0xff_ffff - 300)
		w.sized(0x100_0200, false, 150_000)
		v := w.join(openSink(), JoinOptions{})
		for _, limit := range []int{1, 500, 1 << 20} {
			c := w.s.NewCursor(RTMP, func() {})
			list := walk(w, c, limit)
			want := w.seen(v)
			if !slices.Equal(list, want) {
				t.Errorf("limit %d: %d messages, a viewer has %d", limit, len(list), len(want))
			}
			c.Close()
		}
	})
}

func TestCursorWakesOncePerWait(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		wakes := 0
		c := w.s.NewCursor(RTMP, func() { wakes++ })
		defer c.Close()
		w.gop(0)
		if wakes != 0 {
			t.Errorf("%d wakes before Peek had nothing", wakes)
		}
		walk(w, c, 1<<20)
		w.gop(1000)
		if wakes != 1 {
			t.Errorf("%d wakes for a GOP", wakes)
		}
		if b := c.Peek(1 << 20); len(b) > 0 {
			c.Advance(3) // a transport may stop anywhere
		}
		rest := c.Peek(10)
		if _, _, err := NextMessage(rest); err == nil {
			t.Error("the rest of a message looks like a message")
		}
		c.Advance(len(rest))
		walk(w, c, 1<<20)
		w.s.End(ReasonUnpublished)
		if r, over := c.Ended(); !over || r != ReasonUnpublished || wakes != 2 {
			t.Errorf("%q, %v, %d wakes", r, over, wakes)
		}
		w.attach("two")
		w.headers(2)
		w.gop(0)
		if b := c.Peek(1); b != nil {
			t.Error("a cursor reads on in the next broadcast")
		}
	})
}

func TestSlowCursorSkipsLikeAViewer(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.headers(1)
		w.gop(0)
		c := w.s.NewCursor(RTMP, func() {})
		defer c.Close()
		c.Advance(len(c.Peek(1))) // headers
		c.Advance(len(c.Peek(1)))
		for i := range uint32(4) {
			elapse(time.Second)
			w.gop(1000 * (i + 1))
		}
		list := walk(w, c, 1<<20)
		if c.Skips() != 1 || !list[0].key || list[0].ts != 4000 {
			t.Errorf("%d skips, goes on with %+v", c.Skips(), list[0])
		}
	})
}

func TestPatchStreamID(t *testing.T) {
	var log []byte
	for _, ts := range []uint32{0, 0xff_fffe, 0xff_ffff, 0xffff_ffff} {
		for _, n := range []int{0, 1, ChunkSize, ChunkSize + 1, 3*ChunkSize + 5} {
			p := bytes.Repeat([]byte{byte(n)}, n)
			log = rtmp.AppendMessage(log, &rtmp.Message{Type: rtmp.Video, StreamID: 1, ChunkStream: 6, Timestamp: ts, Payload: p}, ChunkSize)
		}
	}
	patched, err := PatchStreamID([]byte("x"), log, 0x01020304)
	if err != nil || patched[0] != 'x' {
		t.Fatal(err)
	}
	n := 0
	for b := patched[1:]; len(b) > 0; n++ {
		m, size, err := NextMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		if p := m.Payload(); m.StreamID != 0x01020304 || len(p) != m.Length || bytes.Count(p, []byte{byte(m.Length)}) != m.Length {
			t.Errorf("message %d: stream %d, length %d", n, m.StreamID, m.Length)
		}
		b = b[size:]
	}
	if n != 20 {
		t.Errorf("%d messages", n)
	}
	for i := range log[:40] {
		if _, err := PatchStreamID(nil, log[:i], 1); err == nil && i != 0 && i != 12 && i != 25 {
			t.Errorf("%d bytes pass for whole messages", i)
		} else if err != nil && !errors.Is(err, ErrMessage) {
			t.Error(err)
		}
	}
}

// A cursor that starts early has the group before the newest key frame too, in segments of
// any size, for overlapTime; and none of another clock.
func TestCursorThatStartsEarlyOverlaps(t *testing.T) {
	inWorld(t, Options{SegmentBytes: 2048, LagLimit: time.Millisecond}, func(w *world) {
		first := func() uint32 {
			c := w.s.NewCursor(RTMP, func() {})
			defer c.Close()
			c.StartEarly()
			return seqs(walk(w, c, 1<<20))[0]
		}
		w.attach("clock")
		w.headers(1)
		w.gop(0)
		elapse(4 * time.Second)
		before := w.seq + 1
		w.gop(1000)
		elapse(4 * time.Second)
		key := w.video(2000, true)
		if got := first(); got != before {
			t.Errorf("begins at %d, want the key frame %d before the newest, %d", got, before, key)
		}
		if got := seqs(w.seen(w.join(openSink(), JoinOptions{})))[0]; got != key {
			t.Errorf("a viewer begins at %d, not at the newest key frame %d", got, key)
		}
		elapse(2 * overlapTime)
		for i := range uint32(50) {
			w.video(2040+40*i, false)
		}
		if got := first(); got != key {
			t.Errorf("long after the key frame %d it begins at %d", key, got)
		}
		w.attach("another")
		w.headers(1)
		key = w.video(0, true)
		if got := first(); got != key {
			t.Errorf("begins at %d, before the first key frame %d of another clock", got, key)
		}
	})
}
