package live

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"weir/rtmp"
)

// A publisher does anything a publisher does, viewers come, read as they like
// and go. A viewer that reads everything at once is the reference: what the
// others have must be the same, but for skips that end at key frames.
func TestPropertyViewersSeeTheStream(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		segment := rapid.SampledFrom([]int{2 << 10, 16 << 10, DefaultSegmentBytes}).Draw(rt, "segment")
		var failed any
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{SegmentBytes: segment})
			defer w.close()
			// rapid fails by panics, which must be raised outside of the bubble.
			defer func() { failed = recover() }()
			m := &model{world: w, ver: 1, ts: rapid.SampledFrom([]uint32{0, 0xff_ff00, 0x7fff_ff00, 0xffff_f000}).Draw(rt, "start")}
			m.reference = w.join(openSink(), JoinOptions{})
			m.headers(1)
			for range rapid.IntRange(5, 60).Draw(rt, "steps") {
				m.step(rt)
			}
			m.check(rt)
		})
		if failed != nil {
			panic(failed)
		}
	})
}

type model struct {
	*world
	ver       byte
	ts        uint32
	source    byte
	reference *viewer
	viewers   []*viewer
}

func (m *model) frame(key bool, size int) {
	m.seq++
	m.write(rtmp.Video, m.ts, video(key, m.ver, m.seq, size))
	m.ts += 20
	m.seq++
	m.write(rtmp.Audio, m.ts-5, audio(m.ver, m.seq, 60))
	m.ts += 20
}

func (m *model) step(rt *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(rt, "step") {
	case 0, 1, 2: // a GOP, in real time
		for i := range rapid.IntRange(1, 60).Draw(rt, "frames") {
			m.frame(i == 0, rapid.IntRange(10, 3000).Draw(rt, "size"))
			elapse(40 * time.Millisecond)
		}
	case 3: // a large key frame
		m.frame(true, rapid.IntRange(60_000, 200_000).Draw(rt, "large"))
	case 4: // headers change, or do not
		if rapid.Bool().Draw(rt, "change") {
			m.ver++
		}
		m.headers(m.ver)
		m.frame(true, 100)
	case 5, 6: // a viewer with a socket of some size
		s := openSink()
		if rapid.Bool().Draw(rt, "slow") {
			s.room = rapid.IntRange(0, 20_000).Draw(rt, "room")
		}
		m.viewers = append(m.viewers, m.join(s, JoinOptions{}))
	case 7: // viewers read something
		for _, v := range m.viewers {
			v.drain(rapid.IntRange(0, 50_000).Draw(rt, "read"))
		}
		elapse(maxRetry)
	case 8: // the publisher comes back with another clock
		m.source++
		m.attach(string(rune('a' + m.source)))
		m.ts = rapid.Uint32().Draw(rt, "clock")
		if rapid.Bool().Draw(rt, "in the middle") {
			m.frame(false, 100)
		}
		m.headers(m.ver)
		m.frame(true, 100)
	case 9: // control bytes
		for _, v := range m.viewers {
			v.Send(rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.Ack, Payload: []byte{0, 0, 0, 1}}, ChunkSize))
		}
	}
	synctest.Wait()
}

func (m *model) check(rt *rapid.T) {
	for _, v := range m.viewers {
		v.drain(-1)
	}
	elapse(10 * maxRetry)
	all := verify(rt, decode(m, m.reference.taken()), 0)
	for i, v := range m.viewers {
		if v.isEnded() && v.reason != ReasonStalled {
			rt.Fatalf("viewer %d ended: %q", i, v.reason)
		}
		skips := int(v.Viewer.Stats().Skips)
		list := verify(rt, decode(m, v.taken()), skips)
		if len(list) == 0 {
			continue
		}
		// The same frames with the same times, without holes but the skips.
		at := slices.Index(all, list[0])
		if at < 0 {
			rt.Fatalf("viewer %d starts with %+v, which nobody else got", i, list[0])
		}
		holes := 0
		for _, g := range list {
			if at < len(all) && all[at] == g {
				at++
				continue
			}
			to := slices.Index(all, g)
			if to < at || !g.key {
				rt.Fatalf("viewer %d: %+v after %+v", i, g, all[at-1])
			}
			holes++
			at = to + 1
		}
		if holes > skips {
			rt.Fatalf("viewer %d: %d holes, %d skips counted", i, holes, skips)
		}
		if !v.isEnded() && at != len(all) {
			rt.Fatalf("viewer %d: the last %d frames are missing", i, len(all)-at)
		}
	}
}

// verify checks what any viewer must see, and returns the frames.
func verify(rt *rapid.T, list []got, skips int) (frames []got) {
	var ver [32]byte
	var last [32]int64
	seen := map[uint32]bool{}
	for i, g := range list {
		switch {
		case g.typ == rtmp.Ack:
			continue
		case g.header:
			ver[g.typ] = g.ver
			continue
		case len(frames) == 0 && !g.key:
			rt.Fatalf("the first frame is %+v", g)
		case ver[g.typ] != g.ver:
			rt.Fatalf("%+v needs header %d, the last was %d", g, g.ver, ver[g.typ])
		case seen[g.seq]:
			rt.Fatalf("%+v comes twice", g)
		}
		if p := last[g.typ]; p != 0 && int32(g.ts-uint32(p)) < 0 {
			rt.Fatalf("message %d: %+v goes back from %d", i, g, p)
		}
		last[g.typ], seen[g.seq] = int64(g.ts), true
		frames = append(frames, g)
	}
	return frames
}
