package node_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"weir/rtmp"
)

// Bodies of tags, as short as they may be.
var (
	avcHeader  = []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68}
	avcHeader2 = []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x20, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68}
	avcKey     = []byte{0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65}
	avcInter   = []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41}
	aacHeader  = []byte{0xaf, 0, 0x12, 0x10}
	aacFrame   = []byte{0xaf, 1, 0x21}
)

// seen is one media message that a viewer got.
type seen struct {
	typ     rtmp.MessageType
	ts      uint32
	payload string
}

// next reads n media messages.
func (a *attack) next(c *rtmp.ClientConn, n int) (got []seen) {
	a.t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	for len(got) < n {
		ev, err := c.Next()
		if err != nil {
			a.t.Fatalf("after %d of %d messages: %v", len(got), n, err)
		}
		if ev.Kind == rtmp.EventMedia && ev.Message.Type != rtmp.DataAMF0 {
			got = append(got, seen{ev.Message.Type, ev.Message.Timestamp, string(ev.Message.Payload)})
		}
	}
	return got
}

func (a *attack) send(c *rtmp.ClientConn, typ rtmp.MessageType, ts uint32, payload []byte) {
	a.t.Helper()
	if err := c.WriteMessage(&rtmp.Message{Type: typ, StreamID: 1, Timestamp: ts, Payload: payload}); err != nil {
		a.t.Fatal(err)
	}
}

// Timestamps that cross what 24, 31 and 32 bits hold go on for those who watch,
// and for those who join after the crossing. The publisher writes extended
// timestamps in either dialect.
func TestStrangerTimestampsCross(t *testing.T) {
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	for i, from := range []uint32{0xFFFFFE, 1<<24 - 200, 1<<31 - 200, 1<<32 - 200} {
		for _, bare := range []bool{false, true} {
			t.Run(fmt.Sprintf("from %#x, bare %v", from, bare), func(t *testing.T) {
				a := newAttack(t, n)
				name := fmt.Sprintf("crossing-%d-%v", i, bare)
				pub := a.publishing(name)
				raw(pub, rtmp.AppendSetChunkSize(nil, 128))
				enc := rtmp.NewEncoder()
				enc.BareType3 = bare
				// Intervals of 47 and 33 ms: a clock that begins anew would show.
				at := func(f uint32) uint32 { return 40*f + f%2*7 }
				say := func(ts uint32, payload []byte) {
					raw(pub, enc.Append(nil, &rtmp.Message{Type: rtmp.Video, StreamID: 1, ChunkStream: 6, Timestamp: ts, Payload: payload}))
				}
				say(from, avcHeader)
				long := append(slices.Clone(avcKey), make([]byte, 300)...)
				say(from, long)
				watcher := a.playing(name)
				got := a.next(watcher, 2) // header and key frame
				for f := range uint32(10) {
					say(from+at(f+1), append(slices.Clone(avcInter), make([]byte, 300)...))
				}
				say(from+at(11), long)
				got = append(got, a.next(watcher, 11)...)
				late := a.playing(name)
				joined := a.next(late, 2)
				say(from+at(12), append(slices.Clone(avcInter), make([]byte, 300)...))
				joined = append(joined, a.next(late, 1)...)
				got = append(got, a.next(watcher, 1)...)
				for i, m := range got[2:] {
					if d := m.ts - got[1].ts; d != at(uint32(i+1)) {
						t.Errorf("the watcher's frame %d comes %d ms after the first, want %d", i+1, int32(d), at(uint32(i+1)))
					}
				}
				if joined[0].payload != string(avcHeader) || joined[1].payload != string(long) {
					t.Error("the joiner does not begin with header and key frame")
				}
				if joined[1].ts != got[12].ts || joined[2].ts != got[13].ts {
					t.Errorf("the joiner's frames are at %d and %d, the watcher's at %d and %d", joined[1].ts, joined[2].ts, got[12].ts, got[13].ts)
				}
				a.leave()
				a.closings(clientLeft)
				c.unharmed(t)
			})
		}
	}
}

// A sequence header repeated with every key frame is forwarded once; a changed
// one is, before what needs it, and joiners get that.
func TestStrangerRepeatsAndChangesHeaders(t *testing.T) {
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	t.Run("headers", func(t *testing.T) {
		a := newAttack(t, n)
		pub := a.publishing("headers")
		a.send(pub, rtmp.Video, 0, avcHeader)
		a.send(pub, rtmp.Audio, 0, aacHeader)
		a.send(pub, rtmp.Video, 0, avcKey)
		watcher := a.playing("headers")
		a.next(watcher, 3)
		ts := uint32(0)
		for range 50 {
			ts += 40
			a.send(pub, rtmp.Video, ts, avcHeader)
			a.send(pub, rtmp.Audio, ts, aacHeader)
			a.send(pub, rtmp.Video, ts, avcKey)
		}
		for i, m := range a.next(watcher, 50) {
			if m.payload != string(avcKey) {
				t.Fatalf("message %d is %x, want key frames only", i, m.payload)
			}
		}
		a.send(pub, rtmp.Video, ts+40, avcHeader2)
		a.send(pub, rtmp.Video, ts+40, avcKey)
		if got := a.next(watcher, 2); got[0].payload != string(avcHeader2) || got[1].payload != string(avcKey) {
			t.Errorf("the watcher got %x, %x for a changed header", got[0].payload, got[1].payload)
		}
		got := a.next(a.playing("headers"), 3)
		if got[0].payload != string(avcHeader2) || got[1].payload != string(aacHeader) || got[2].payload != string(avcKey) {
			t.Errorf("a joiner begins with %x, %x, %x", got[0].payload, got[1].payload, got[2].payload)
		}
		a.leave()
		a.closings(clientLeft)
		c.unharmed(t)
	})
}

// Media that means nothing is dropped under a name of its own; media that this
// node does not know passes as it is. Neither ends the publisher.
func TestStrangerMedia(t *testing.T) {
	enhanced := func(packet byte, fourcc string, rest ...byte) []byte {
		return append(append([]byte{0x90 | packet}, fourcc...), rest...)
	}
	dropped := []struct {
		name   string
		typ    rtmp.MessageType
		bodies [][]byte
		reason string
	}{
		{"before headers", rtmp.Video, [][]byte{avcKey, enhanced(1, "hvc1", 0, 0, 0, 1), enhanced(3, "avc1", 1)}, "before-headers"},
		{"before headers", rtmp.Audio, [][]byte{aacFrame, {0x91, 'm', 'p', '4', 'a', 1}}, "before-headers"},
		{"empty", rtmp.Video, [][]byte{{}}, "empty-media"},
		{"empty", rtmp.Audio, [][]byte{{}}, "empty-media"},
		{"truncated", rtmp.Video, [][]byte{{0x17}, {0x17, 1, 0}, {0x90}, {0x91, 'h', 'v'}, enhanced(1, "avc1", 0), {0x96}, {0x96, 0x11, 'a'}, {0x97, 0xff}}, "bad-media"},
		{"truncated", rtmp.Audio, [][]byte{{0xaf}, {0x91, 'O', 'p'}, {0x95, 0x11}}, "bad-media"},
	}
	n := start(t, quickConfig("n1"))
	c := sing(t, n, n)
	for i, d := range dropped {
		t.Run(fmt.Sprint(d.name, " ", d.typ), func(t *testing.T) {
			a := newAttack(t, n)
			name := fmt.Sprint("dropped-", i)
			pub := a.publishing(name)
			for _, b := range d.bodies {
				a.send(pub, d.typ, 0, b)
			}
			// Still a publisher like any other.
			a.send(pub, rtmp.Video, 0, avcHeader)
			a.send(pub, rtmp.Video, 0, avcKey)
			if got := a.next(a.playing(name), 2); got[0].payload != string(avcHeader) || got[1].payload != string(avcKey) {
				t.Errorf("a viewer begins with %x, %x", got[0].payload, got[1].payload)
			}
			from, said := a.from, 0 // in a line a second
			for said < len(d.bodies) {
				l, ok := n.log.wait(patience, func(l line) bool {
					return l.n >= from && l.msg == "media dropped" && l.attrs["stream"] == name && l.attrs["reason"] == d.reason
				})
				if !ok {
					break
				}
				count, err := strconv.Atoi(l.attrs["count"])
				if err != nil {
					t.Fatal(err)
				}
				from, said = l.n+1, said+count
			}
			if said != len(d.bodies) {
				t.Errorf("dropped %d for %s, want %d", said, d.reason, len(d.bodies))
			}
			a.leave()
			a.closings(clientLeft)
			c.unharmed(t)
		})
	}
	t.Run("unknown codecs pass", func(t *testing.T) {
		a := newAttack(t, n)
		pub := a.publishing("unknown")
		bodies := [][]byte{enhanced(1, "zzzz", 1, 2, 3), append([]byte{0x91}, "zzzz\x07"...), {0x1d, 9, 9}, {0x5f, 1}}
		types := []rtmp.MessageType{rtmp.Video, rtmp.Audio, rtmp.Video, rtmp.Audio}
		for i, b := range bodies {
			a.send(pub, types[i], uint32(i), b)
		}
		for i, m := range a.next(a.playing("unknown"), len(bodies)) {
			if m.payload != string(bodies[i]) {
				t.Errorf("message %d is %x, want %x", i, m.payload, bodies[i])
			}
		}
		a.leave()
		a.closings(clientLeft)
		c.unharmed(t)
	})
}
