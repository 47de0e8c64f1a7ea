package live

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
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

// A cursor for somebody who has part of the stream begins at the newest key frame that is not after
// that, in segments of any size, for as long as overlapTime or Keep holds it; and
// never on another clock.
func TestP3CursorReachesBack(t *testing.T) {
	inWorld(t, Options{SegmentBytes: 2048, LagLimit: time.Millisecond}, func(w *world) {
		first := func(base string, at uint32) uint32 {
			c := w.s.NewCursor(RTMP, func() {})
			defer c.Close()
			c.StartFrom(Position{base, at})
			return seqs(walk(w, c, 1<<20))[0]
		}
		is := func(what string, got, want uint32) {
			t.Helper()
			if got != want {
				t.Errorf("%s it begins at %d, want %d", what, got, want)
			}
		}
		w.attach("old")
		w.headers(1)
		w.gop(0)
		w.attach("clock") // moved by 1000
		w.headers(1)
		key := [4]uint32{}
		for i := range uint32(4) {
			key[i] = w.seq + 1
			w.gop(1000 * i)
			elapse(time.Second)
		}
		is("with a position in the newest group", first("clock", 3500), key[3])
		is("with one before it", first("clock", 2999), key[2])
		is("with one at a key frame", first("clock", 2000), key[2])
		is("with one of the group before that", first("clock", 1999), key[1])
		is("with one of the first", first("clock", 10), key[0])
		is("with one on another clock", first("another", 2000), key[3])
		is("with one on the clock before", first("old", 500), key[3])
		is("with none", first("", 0), key[3])
		if got := seqs(w.seen(w.join(openSink(), JoinOptions{})))[0]; got != key[3] {
			t.Errorf("a viewer begins at %d, not at the newest key frame %d", got, key[3])
		}
		other := openSink()
		v := w.s.Join(JoinOptions{Sink: other, Preamble: setChunkSize, From: Position{"clock", 2999}, Tell: func(Clock) []byte { return nil }})
		synctest.Wait()
		if got := seqs(decode(w, other.taken()))[0]; got != key[2] {
			t.Errorf("another server at a pump begins at %d, want %d", got, key[2])
		}
		v.Close()
		elapse(2 * overlapTime)
		w.video(4000, false)
		is("long after", first("clock", 1999), key[3])
		shift := int64(w.s.Clock().Shift)
		w.s.Keep(3500 + shift)
		for i := range uint32(8) {
			w.gop(5000 + 1000*i)
			elapse(time.Second)
		}
		is("with what is to be kept", first("clock", 3500), key[3])
		w.s.Keep(9100 + shift)
		w.gop(13_000)
		elapse(overlapTime)
		w.gop(14_000)
		if got := first("clock", 3500); got < key[3]+200 {
			t.Errorf("what is not to be kept any more is there: it begins at %d", got)
		}
		w.attach("another")
		w.headers(1)
		next := w.video(0, true)
		is("after the clock has changed", first("clock", 14_000), next)
	})
}

// Another server is told of each clock before its first frame, and of none twice.
func TestCursorTellsClocks(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		tell := func(c Clock) []byte {
			return rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.DataAMF3, ChunkStream: 3, Payload: fmt.Appendf(nil, "%s%+d", c.Base, c.Shift)}, ChunkSize)
		}
		c := w.s.NewCursor(RTMP, func() {})
		defer c.Close()
		c.Tell(tell)
		pumped := openSink()
		v := w.s.Join(JoinOptions{Sink: pumped, Preamble: setChunkSize, Tell: tell})
		defer v.Close()
		plain := w.join(openSink(), JoinOptions{})
		w.headers(1)
		w.gop(0)
		w.video(1000, true)
		w.attach("one")
		w.headers(1)
		w.gop(1000)
		var told []string
		note := func(b []byte) {
			for len(b) > 0 {
				m, n, err := NextMessage(b)
				if err != nil {
					t.Fatal(err)
				}
				switch b = b[n:]; {
				case m.Type == rtmp.DataAMF3:
					told = append(told, string(m.Payload()))
				case m.Type == rtmp.Video && m.Payload()[1] == 1:
					if n := len(told); n == 0 || told[n-1] != "." {
						told = append(told, ".")
					}
				}
			}
		}
		read := func() {
			synctest.Wait()
			for b := c.Peek(1 << 20); len(b) > 0; b = c.Peek(1 << 20) {
				note(b)
				c.Advance(len(b))
			}
		}
		read()
		w.attach("two")
		w.headers(1)
		read()
		w.gop(0)
		read()
		want := []string{"one+0", ".", "two+2005", "."}
		if !slices.Equal(told, want) {
			t.Errorf("the cursor gives %q", told)
		}
		told = nil
		note(pumped.taken()[len(setChunkSize):])
		if !slices.Equal(told, want) {
			t.Errorf("the pump sends %q", told)
		}
		told = nil
		note(plain.taken()[len(setChunkSize):])
		if !slices.Equal(told, []string{"."}) {
			t.Errorf("an ordinary viewer gets %q", told)
		}
	})
}
