package live

import (
	"slices"
	"testing"
	"testing/synctest"

	"weir/rtmp"
)

func TestGarbageIsDroppedAndCounted(t *testing.T) {
	enhanced := func(first byte, fourCC string, body ...byte) []byte {
		return append(append([]byte{first}, fourCC...), body...)
	}
	cases := []struct {
		name string
		typ  rtmp.MessageType
		p    []byte
		want Reason // "" = passed on
	}{
		{"empty video", rtmp.Video, nil, ReasonEmptyTag},
		{"empty audio", rtmp.Audio, []byte{}, ReasonEmptyTag},
		{"empty data", rtmp.DataAMF0, nil, ReasonEmptyTag},
		{"AVC cut short", rtmp.Video, []byte{0x17}, ReasonMalformedTag},
		{"enhanced cut short", rtmp.Video, []byte{0x91, 'h', 'v'}, ReasonMalformedTag},
		{"a command", rtmp.CommandAMF0, []byte{2, 0, 1, 'x'}, ReasonUnsupportedType},
		{"control", rtmp.SetChunkSize, []byte{0, 0, 0, 1}, ReasonUnsupportedType},
		{"AVC end of sequence", rtmp.Video, []byte{0x17, 2, 0, 0, 0}, ReasonSequenceEnd},
		{"a frame before any key frame", rtmp.Video, video(false, 1, 1, 20), ReasonWaitKeyframe},
		{"a key frame before its header", rtmp.Video, video(true, 1, 1, 20), ReasonMediaBeforeHeader},
		{"AAC before its header", rtmp.Audio, audio(1, 1, 20), ReasonMediaBeforeHeader},
		{"too large", rtmp.Video, make([]byte, 1<<24), ReasonMessageTooLarge},
		{"an unknown FourCC's key frame", rtmp.Video, enhanced(0x91, "xyz9", 1, 2, 3), ""},
		{"an unknown FourCC's frame", rtmp.Video, enhanced(0xa1, "xyz9", 1, 2, 3), ""},
		{"MP3", rtmp.Audio, []byte{0x2f, 0xff, 0xfb}, ""},
		{"unknown data", rtmp.DataAMF0, []byte{2, 0, 1, 'x'}, ""},
		{"unknown AMF3 data", rtmp.DataAMF3, []byte{0, 2, 0, 1, 'x'}, ""},
		{"a single byte of AMF3", rtmp.DataAMF3, []byte{0}, ""},
	}
	inWorld(t, Options{}, func(w *world) {
		// In both forms.
		c := w.s.NewCursor(FLV, func() {})
		defer c.Close()
		for _, tc := range cases {
			before, l := w.s.logs[RTMP].Load().end.Load(), w.s.logs[RTMP].Load()
			n := w.of(tc.want)
			w.write(tc.typ, 0, tc.p)
			if passed := l.end.Load() > before; passed != (tc.want == "") || tc.want != "" && w.of(tc.want) != n+1 {
				t.Errorf("%s: passed %v, counted %v", tc.name, passed, w.n)
			}
		}
	})
}

// multi makes a multitrack AVC message with one track.
func multi(packet, frame, track byte, body ...byte) []byte {
	return append([]byte{0x80 | frame<<4 | 6, packet, 'a', 'v', 'c', '1', track}, body...)
}

func TestMultitrackHeadersAreKeptPerTrack(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.write(rtmp.Video, 0, avcHeader(1)) // track 0
		w.write(rtmp.Video, 0, multi(0, 1, 1, avcHeader(1)[5:]...))
		w.write(rtmp.Video, 0, multi(0, 1, 2, avcHeader(2)[5:]...))
		w.write(rtmp.Video, 0, multi(0, 1, 1, avcHeader(3)[5:]...)) // replaces one
		w.write(rtmp.Video, 0, multi(0, 1, 2, avcHeader(2)[5:]...)) // a repeat
		if n := len(w.s.headers.all()); n != 3 || w.of(ReasonRepeatedHeader) != 1 {
			t.Errorf("%d headers, counted %v", n, w.n)
		}
		// The track whose key frame comes first is where joiners start; the others follow.
		key := []byte{0, 0, 0, 1, 2, 3, 4, 5, 6, 7}
		for ts := uint32(0); ts < 2000; ts += 1000 {
			w.write(rtmp.Video, ts, multi(1, 1, 2, key...))
			w.video(ts, true)
			w.write(rtmp.Video, ts, multi(1, 1, 1, key...))
			w.write(rtmp.Video, ts+40, multi(1, 2, 2, key...))
			w.video(ts+40, false)
		}
		w.write(rtmp.Video, 1080, multi(1, 2, 9, key...)) // a track without a header
		if w.of(ReasonMediaBeforeHeader) != 1 {
			t.Errorf("counted %v", w.n)
		}
		b := w.s.NewCursor(RTMP, func() {})
		defer b.Close()
		var tracks []byte
		for _, limit := range []int{1, 1 << 20} {
			for p := b.Peek(limit); len(p) > 0; {
				m, n, err := NextMessage(p)
				if err != nil {
					t.Fatal(err)
				}
				if m.Type == rtmp.Video && limit > 1 {
					track := byte(0)
					if body := m.Payload(); body[0]&0x80 != 0 {
						track = body[6]
					}
					tracks = append(tracks, track)
				}
				p = p[n:]
				b.Advance(n)
			}
		}
		if !slices.Equal(tracks, []byte{2, 0, 1, 2, 0}) {
			t.Errorf("tracks from the join point on: %v", tracks)
		}
		if info := w.s.Info(); len(info.Tracks) != 3 {
			t.Errorf("%+v", info.Tracks)
		}
	})
}

func TestOversizeMessageHasItsOwnSegment(t *testing.T) {
	inWorld(t, Options{SegmentBytes: 4096}, func(w *world) {
		w.headers(1)
		v := w.join(openSink(), JoinOptions{})
		w.sized(0, true, 300_000)
		w.audio(0)
		w.sized(40, false, 4096)
		if got := seqs(w.seen(v)); !slices.Equal(got, []uint32{1, 2, 3}) {
			t.Errorf("frames %v", got)
		}
		for _, s := range w.s.logs[RTMP].Load().table.Load().segs {
			if s.used > len(s.mem) || len(s.mem) > 4096 && s.n.Load() != 1 {
				t.Errorf("segment %d: %d of %d bytes, %d messages", s.num, s.used, len(s.mem), s.n.Load())
			}
		}
	})
}

func TestInfo(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		if i := w.s.Info(); i.Idle != -1 || i.LastAudio != -1 || !i.Source || i.Name != testName {
			t.Errorf("of nothing: %+v", i)
		}
		w.write(rtmp.Video, 0, avcHeader(1))
		w.write(rtmp.Audio, 0, aacHeader(1))
		for i := range uint32(100) {
			w.sized(40*i, i%50 == 0, 1000)
			elapse(40_000_000)
		}
		i := w.s.Info()
		if i.BitsPerSecond < 190_000 || i.BitsPerSecond > 210_000 {
			t.Errorf("%d b/s, want 200,000", i.BitsPerSecond)
		}
		if i.LastVideo != 3960 || i.LastAudio != -1 || i.GOPDuration.Milliseconds() != 1960 || i.GOPBytes < 50_000 {
			t.Errorf("%+v", i)
		}
		if len(i.Tracks) != 2 || !i.Tracks[0].Video || i.Tracks[1].Codec == "" {
			t.Errorf("tracks %+v", i.Tracks)
		}
		w.w.Close()
		elapse(4_000_000_000)
		if i := w.s.Info(); i.Source || i.BitsPerSecond != 0 || i.Idle < 4_000_000_000 {
			t.Errorf("when silent: %+v", i)
		}
		w.attach("one")
	})
}

func TestP5StreamGoesWithItsLastHold(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		other := testName
		other.Stream = "bob"
		if _, ok := w.hub.Lookup(other); ok {
			t.Error("Lookup makes streams")
		}
		s := w.hub.Open(other)
		v := s.Join(JoinOptions{Sink: openSink()})
		c := s.NewCursor(RTMP, func() {})
		wr, err := s.Attach(Source{})
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
		for i, end := range []func(){v.Close, c.Close, wr.Close} {
			if l, ok := w.hub.Lookup(other); !ok {
				t.Errorf("gone before hold %d", i)
			} else {
				l.Release()
			}
			end()
			synctest.Wait()
		}
		if _, ok := w.hub.Lookup(other); ok {
			t.Error("left over")
		}
	})
}
