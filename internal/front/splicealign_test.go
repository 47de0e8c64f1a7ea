package front

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// say appends a command as a front does: whole headers, its own chunk size.
func sayPlain(p []byte, name string, tx float64, args ...any) []byte {
	c := rtmp.Command{Name: name, Transaction: tx, Args: args}
	return rtmp.AppendMessage(p, &rtmp.Message{Type: rtmp.CommandAMF0, Payload: rtmp.AppendCommand(nil, &c)}, rtmp.DefaultChunkSize)
}

// told is what a client has heard from a front.
func told() []byte {
	p := rtmp.AppendSetPeerBandwidth(rtmp.AppendWindowAckSize(nil, 2_500_000), 2_500_000, rtmp.LimitDynamic)
	p = rtmp.AppendSetChunkSize(p, rtmp.DefaultChunkSize)
	return sayPlain(sayPlain(p, "_result", 1, "connected"), "_result", 2, 1.0)
}

// talker is a server that compresses its headers, which is more than most do.
type talker struct {
	e   *rtmp.Encoder
	rng *rand.Rand
	at  uint32
}

func (s *talker) command(p []byte, csid uint32, id uint32, name string, tx float64, args ...any) []byte {
	c := rtmp.Command{Name: name, Transaction: tx, Args: args}
	return s.e.Append(p, &rtmp.Message{Type: rtmp.CommandAMF0, ChunkStream: csid, StreamID: id, Payload: rtmp.AppendCommand(nil, &c)})
}

func (s *talker) control(p []byte, m []byte) []byte {
	typ := rtmp.MessageType(m[7])
	return s.e.Append(p, &rtmp.Message{Type: typ, ChunkStream: 2, Payload: m[12:]})
}

// opening is what it says up to the answer to createStream.
func (s *talker) opening() (p []byte) {
	n := s.rng.IntN
	asks := []func(){
		func() { p = s.control(p, rtmp.AppendWindowAckSize(nil, uint32(100_000+n(5_000_000)))) },
		func() { p = s.control(p, rtmp.AppendSetPeerBandwidth(nil, uint32(n(5_000_000)), byte(n(3)))) },
		func() { p = s.control(p, rtmp.AppendUserControl(nil, rtmp.StreamBegin, 0)) },
		func() { p = s.e.SetChunkSize(p, 128+n(60_000)) },
		func() { p = s.command(p, 3, 0, "onBWDone", 0, strings.Repeat("x", n(300))) },
	}
	s.rng.Shuffle(len(asks), func(i, j int) { asks[i], asks[j] = asks[j], asks[i] })
	for _, ask := range asks[:n(len(asks)+1)] {
		ask()
	}
	p = s.command(p, 3, 0, "_result", 1, strings.Repeat("y", n(400)))
	if n(2) == 0 {
		p = s.command(p, 3, 0, "onBWDone", 0)
	}
	return s.command(p, 3, 0, "_result", 2, 1.0)
}

// media is what it says from then on.
func (s *talker) media(messages int) (p []byte) {
	n := s.rng.IntN
	if n(2) == 0 {
		p = s.control(p, rtmp.AppendUserControl(nil, rtmp.StreamBegin, 1))
	}
	if n(2) == 0 { // as long as the answer to createStream: a header of type 2 or 3
		p = s.command(p, 3, 0, "onThing", 2, 1.0)
	}
	csid := uint32(3 + 2*n(2))
	p = s.command(p, csid, 1, "onStatus", 0, "started")
	for range messages {
		s.at += uint32(n(40))
		m := rtmp.Message{StreamID: 1, Timestamp: s.at, Type: rtmp.Video, ChunkStream: 6, Payload: make([]byte, n(3000))}
		if n(2) == 0 {
			m.Type, m.ChunkStream = rtmp.Audio, 4
		}
		for i := range m.Payload {
			m.Payload[i] = byte(s.rng.Uint32())
		}
		p = s.e.Append(p, &m)
		if n(20) == 0 {
			p = s.control(p, rtmp.AppendUserControl(nil, rtmp.PingRequest, s.at))
		}
	}
	return p
}

type plainMessage struct {
	typ     rtmp.MessageType
	id, at  uint32
	payload string
}

func messages(t *testing.T, p []byte) (all []plainMessage) {
	t.Helper()
	d := rtmp.NewDecoder(rtmp.Limits{})
	for len(p) > 0 {
		n, m, err := d.Decode(p)
		if err != nil {
			t.Fatal(err)
		}
		p = p[n:]
		if m != nil {
			all = append(all, plainMessage{m.Type, m.StreamID, m.Timestamp, string(m.Payload)})
		}
	}
	return all
}

// Whatever a server said before, and however it compresses its headers, a client
// that was aligned understands the same as one that heard the server from the start.
func TestAlignedClientsUnderstandTheServer(t *testing.T) {
	aligned := 0
	for seed := range uint64(500) {
		s := &talker{e: rtmp.NewEncoder(), rng: rand.New(rand.NewPCG(seed, 3))}
		swallowed := s.opening()
		rest := s.media(60)
		told := told()
		if s.rng.IntN(2) == 0 { // the front has answered more than the server
			told = sayPlain(told, "_result", 3, strings.Repeat("z", s.rng.IntN(50)))
		}
		sync, err := align(told, swallowed)
		if err != nil {
			if !errors.Is(err, errCarry) {
				t.Fatal(err)
			}
			continue
		}
		aligned++
		want := messages(t, append(bytes.Clone(swallowed), rest...))[len(messages(t, swallowed)):]
		front := append(told, sync...)
		got := messages(t, append(bytes.Clone(front), rest...))[len(messages(t, front)):]
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d messages, want %d", seed, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: message %d differs: %v %d at %d, want %v %d at %d", seed, i, got[i].typ, got[i].id, got[i].at, want[i].typ, want[i].id, want[i].at)
			}
		}
	}
	if aligned < 450 {
		t.Errorf("%d of 500 servers could be aligned with", aligned)
	}
}

// What nginx-rtmp says needs nothing but its chunk size and windows.
func TestServersLikeNginxNeedNoRepetition(t *testing.T) {
	swallowed := rtmp.AppendSetPeerBandwidth(rtmp.AppendWindowAckSize(nil, 5_000_000), 5_000_000, rtmp.LimitDynamic)
	swallowed = rtmp.AppendSetChunkSize(swallowed, 4096)
	swallowed = sayPlain(sayPlain(swallowed, "_result", 1, "somewhat other"), "_result", 2, 1.0)
	sync, err := align(told(), swallowed)
	if err != nil {
		t.Fatal(err)
	}
	sizes := 0
	for _, m := range messages(t, append(told(), sync...))[len(messages(t, told())):] {
		if !m.typ.IsControl() {
			t.Errorf("a %v was said again", m.typ)
		}
		if m.typ == rtmp.SetChunkSize {
			sizes++
		}
	}
	if sizes != 1 { // FFmpeg answers each, and nginx-rtmp does not understand two
		t.Errorf("the chunk size was set %d times", sizes)
	}
}

// A publisher that mirrors chunk sizes must not be made to shrink its own.
func TestPublishersThatEchoChunkSizes(t *testing.T) {
	small, large := rtmp.AppendSetChunkSize(nil, 4096), rtmp.AppendSetChunkSize(nil, rtmp.DefaultChunkSize)
	for _, c := range []struct {
		name   string
		w      script
		server []byte
		want   bool
	}{
		{"echo, smaller", script{publish: true, chunkSize: rtmp.DefaultChunkSize}, small, true},
		{"echo, same", script{publish: true, chunkSize: rtmp.DefaultChunkSize}, large, false},
		{"its own size", script{publish: true, chunkSize: 4096}, small, false},
		{"a player", script{chunkSize: rtmp.DefaultChunkSize}, small, false},
	} {
		var e *alignError
		if err := echoes(&c.w, told(), c.server); errors.As(err, &e) != c.want || c.want && e.reason != event.ChunkEcho {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWhatCannotBeAlignedIsNamed(t *testing.T) {
	media := rtmp.AppendMessage(sayPlain(nil, "_result", 1), &rtmp.Message{Type: rtmp.Audio, StreamID: 1, Timestamp: 7, Payload: []byte("x")}, 128)
	cut := sayPlain(nil, "_result", 1)
	window := sayPlain(rtmp.AppendWindowAckSize(nil, 64), "_result", 2, 1.0)
	delta := &talker{e: rtmp.NewEncoder()}
	late := delta.command(nil, 3, 0, "_result", 1)
	for _, at := range []uint32{5, 12} {
		late = delta.e.Append(late, &rtmp.Message{Type: rtmp.CommandAMF0, ChunkStream: 3, Timestamp: at, Payload: []byte{2, 0, 0, 5}})
	}
	for name, c := range map[string]struct {
		swallowed []byte
		reason    event.Reason
	}{
		"media": {media, event.ChunkState}, "cut": {cut[:len(cut)-1], event.ChunkState}, "window": {window, event.AckWindow}, "delta": {late, event.ChunkState},
	} {
		_, err := align(told(), c.swallowed)
		var e *alignError
		if !errors.As(err, &e) || e.reason != c.reason || !errors.Is(err, errCarry) {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
	}
}
