package rtmp

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// The cases of "bytes from strangers" at the chunk layer, each by its name.

func setChunkSize(v uint32) []byte { return AppendSetChunkSize(nil, v) }

func TestStrangerChunkSizeZero(t *testing.T) {
	wantReason(t, Limits{}, setChunkSize(0), ReasonChunkSize)
}

func TestStrangerChunkSizeTopBit(t *testing.T) {
	wantReason(t, Limits{}, setChunkSize(1<<31), ReasonChunkSize)
	wantReason(t, Limits{}, setChunkSize(math.MaxUint32), ReasonChunkSize)
}

func TestStrangerChunkSizeHugeIsClamped(t *testing.T) {
	d := NewDecoder(Limits{})
	m := Message{Type: Video, StreamID: 1, ChunkStream: 6, Payload: make([]byte, 100_000)}
	wire := AppendMessage(setChunkSize(0x7FFFFFFF), &m, 1<<24)
	got, err := decodeAll(d, wire, whole)
	if err != nil || len(got) != 2 || len(got[1].Payload) != 100_000 {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	if d.ChunkSize() != MaxMessageBytes {
		t.Errorf("chunk size %d, want it clamped to %d", d.ChunkSize(), MaxMessageBytes)
	}
}

// Chunk size 1 is legal: a whole connect goes through. Megabytes do not.
func TestStrangerChunkSizeOneHasAWorkBudget(t *testing.T) {
	m := Message{Type: CommandAMF0, Payload: make([]byte, 60_000)}
	wire := AppendMessage(setChunkSize(1), &m, 1)
	wantReason(t, Limits{}, wire, "")
	m.Type = Video
	for range 4 {
		wire = AppendMessage(wire, &m, 1)
	}
	wantReason(t, Limits{}, wire, ReasonChunkWork)

	d := NewDecoder(Limits{})
	for len(wire) > 0 {
		n, _, err := d.Decode(wire[:min(len(wire), 1000)])
		if err != nil {
			t.Fatalf("with the budget refilled: %v", err)
		}
		wire = wire[n:]
		d.Grant(1000)
	}
}

// An empty message costs its sender one byte on the wire.
func TestStrangerEmptyMessagesHaveAWorkBudget(t *testing.T) {
	wire := chunk(0, 4, head0(0, 0, Audio, 1)...)
	for range ChunkWork + 10 {
		wire = append(wire, type3|4)
	}
	wantReason(t, Limits{}, wire, ReasonChunkWork)
}

// Chunks of 64 bytes and more are free for ever.
func TestOrdinaryChunksCostNoWork(t *testing.T) {
	d := NewDecoder(Limits{ChunkWork: 10})
	m := Message{Type: Video, ChunkStream: 6, Payload: make([]byte, 64*5)}
	wire := AppendMessage(nil, &m, 64)
	if _, err := decodeAll(d, setChunkSize(64), whole); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := decodeAll(d, wire, whole); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStrangerShortControlMessages(t *testing.T) {
	for _, typ := range []MessageType{SetChunkSize, Abort} {
		for n := range 4 {
			wantReason(t, Limits{}, chunk(0, 2, append(head0(0, n, typ, 0), make([]byte, n)...)...), ReasonShortControl)
		}
	}
}

func TestStrangerLongControlMessage(t *testing.T) {
	wantReason(t, Limits{}, chunk(0, 2, head0(0, MaxControlBytes+1, UserControl, 0)...), ReasonMessageSize)
}

// 16 MB announced: refused by the limit, and within it nothing is allocated for
// what did not arrive.
func TestStrangerHugeLengthOneChunk(t *testing.T) {
	wantReason(t, Limits{}, chunk(0, 6, head0(0, 1<<24-1, Video, 1)...), ReasonMessageSize)
	wantReason(t, Limits{}, chunk(0, 3, head0(0, MaxCommandBytes+1, CommandAMF0, 0)...), ReasonMessageSize)

	wire := chunk(0, 6, append(head0(0, MaxMessageBytes, Video, 1), make([]byte, 128)...)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := NewDecoder(Limits{})
	if _, err := decodeAll(d, wire, whole); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
		t.Errorf("%d bytes allocated for 128 that arrived", got)
	}
	if d.Partial() != 128 {
		t.Errorf("partial %d", d.Partial())
	}
}

func TestStrangerPreAuthorizationLimit(t *testing.T) {
	d := NewDecoder(Limits{})
	d.SetMaxMessage(MaxPreAuthBytes)
	m := Message{Type: CommandAMF0, Payload: make([]byte, MaxPreAuthBytes+1)}
	wire := AppendMessage(nil, &m, 128)
	if _, err := decodeAll(d, wire, whole); reasonOf(err) != ReasonMessageSize {
		t.Errorf("before authorization: %v", err)
	}
	d = NewDecoder(Limits{})
	d.SetMaxMessage(MaxPreAuthBytes)
	d.SetMaxMessage(0)
	if _, err := decodeAll(d, wire, whole); err != nil {
		t.Errorf("after: %v", err)
	}
}

// 65,600 chunk streams, each with a partial message.
func TestStrangerManyChunkStreams(t *testing.T) {
	var wire []byte
	for id := uint32(2); id < 65_600; id++ {
		wire = append(wire, chunk(0, id, append(head0(0, 1000, Audio, 1), make([]byte, 128)...)...)...)
	}
	wantReason(t, Limits{}, wire, ReasonChunkStreams)
	d := NewDecoder(Limits{})
	decodeAll(d, wire, whole)
	if got, want := d.Partial(), MaxChunkStreams*128; got != want {
		t.Errorf("%d bytes held, want %d", got, want)
	}
}

func TestStrangerPartialBytes(t *testing.T) {
	lim := Limits{Message: 1000}
	var wire []byte
	for id := range uint32(16) {
		wire = append(wire, chunk(0, 3+id, append(head0(0, 1000, Audio, 1), make([]byte, 128)...)...)...)
	}
	wantReason(t, lim, wire, ReasonPartialBytes)
	wantReason(t, lim, wire[:15*(12+128)], "")
}

func TestStrangerSmallerLengthInMidMessage(t *testing.T) {
	begin := chunk(0, 6, append(head0(0, 1000, Video, 1), make([]byte, 128)...)...)
	wantReason(t, Limits{}, cat(begin, chunk(0, 6, head0(0, 10, Video, 1)...)), ReasonMidMessage)
	wantReason(t, Limits{}, cat(begin, chunk(1, 6, head0(0, 10, Video, 1)[:7]...)), ReasonMidMessage)
	wantReason(t, Limits{}, cat(begin, chunk(2, 6, 0, 0, 0)), ReasonMidMessage)
}

func TestStrangerCompressedFirstChunk(t *testing.T) {
	for kind := byte(1); kind <= 3; kind++ {
		rest := head0(0, 1, Audio, 1)[:messageHeaderSize[kind]]
		for _, id := range []uint32{3, 64, 400} {
			wantReason(t, Limits{}, chunk(kind, id, rest...), ReasonFirstChunk)
		}
		if kind != 1 {
			wantReason(t, Limits{}, chunk(kind, 2, rest...), ReasonFirstChunk)
		}
	}
	wantReason(t, Limits{}, chunk(1, 2, head0(0, 1, Audio, 1)[:7]...), ReasonFirstChunk)
}

// librtmp's first ping has a type 1 header.
func TestControlMayBeginWithType1(t *testing.T) {
	ping := AppendUserControl(nil, PingResponse, 77)[12:]
	wire := chunk(1, 2, append(head0(5, 6, UserControl, 0)[:7], ping...)...)
	got, err := decodeAll(NewDecoder(Limits{}), wire, byteWise)
	if err != nil || len(got) != 1 || got[0].Type != UserControl || got[0].StreamID != 0 {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestStrangerAbortAnywhere(t *testing.T) {
	m := Message{Type: Video, StreamID: 1, ChunkStream: 6, Timestamp: 9, Payload: randomPayload(rand.New(rand.NewPCG(1, 1)), 500)}
	whole := AppendMessage(nil, &m, 128)
	const perChunk = 129
	for chunks := range 4 { // chunks of m before the abort
		cut := 0
		if chunks > 0 {
			cut = 12 + 128 + (chunks-1)*perChunk
		}
		for _, id := range []uint32{6, 4, 0, 2, math.MaxUint32} {
			wire := cat(whole[:cut], AppendAbort(nil, id))
			if id == 6 || chunks == 0 {
				wire = append(wire, whole...)
			} else {
				wire = append(wire, whole[cut:]...)
			}
			d := NewDecoder(Limits{})
			got, err := decodeAll(d, wire, byteWise)
			if err != nil {
				t.Fatalf("abort %d after %d chunks: %v", id, chunks, err)
			}
			if err := sameMessages(got[1:], []Message{m}); err != nil || d.Partial() != 0 {
				t.Errorf("abort %d after %d chunks: %v, partial %d", id, chunks, err, d.Partial())
			}
		}
	}
}

// A stream's timestamps cross every edge, with compressed headers, in both
// dialects of the extended timestamp.
func TestTimestampsAcrossTheEdges(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, edge := range []uint64{0xFFFFFE, 0xFFFFFF, 1 << 24, 1 << 31, 1 << 32} {
		for _, bare := range []bool{false, true} {
			for _, step := range []uint32{0, 1, 20, 0xFFFFFE, 0xFFFFFF, 1 << 24} {
				e := NewEncoder()
				e.BareType3 = bare
				var wire []byte
				var want []Message
				ts := uint32(edge) - 3*step
				for range 8 {
					m := Message{Type: Video, StreamID: 1, ChunkStream: 6, Timestamp: ts, Payload: randomPayload(r, 300)}
					want = append(want, m)
					wire = e.Append(wire, &m)
					ts += step
				}
				for _, cut := range []func() int{whole, byteWise} {
					got, err := decodeAll(NewDecoder(Limits{}), wire, cut)
					if err != nil {
						t.Fatal(err)
					}
					if err := sameMessages(got, want); err != nil {
						t.Errorf("edge %#x bare %v step %d: %v", edge, bare, step, err)
					}
				}
			}
		}
	}
}

// The probe for the dialect may find the timestamp's first bytes at the start of
// a payload that ends within the four, followed by other chunks.
func TestExtendedTimestampProbeGivesBytesBack(t *testing.T) {
	const ts = 0x01020305 // not 04, which is the next chunk's first byte
	for tail := range 8 {
		// The last chunk's payload begins like the timestamp and is tail+1 long.
		payload := append(make([]byte, 128), []byte{1, 2, 3, 9, 9, 9, 9, 9}[:tail+1]...)
		m := Message{Type: Video, StreamID: 1, ChunkStream: 6, Timestamp: ts, Payload: payload}
		e := NewEncoder()
		e.BareType3 = true
		wire := e.Append(nil, &m)
		empty := Message{Type: Audio, StreamID: 1, ChunkStream: 4}
		wire = e.Append(wire, &empty)
		for _, cut := range []func() int{whole, byteWise, func() int { return 3 }} {
			d := NewDecoder(Limits{})
			got, err := decodeAll(d, wire, cut)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameMessages(got, []Message{m, empty}); err != nil {
				t.Errorf("tail %d: %v", tail, err)
			}
			if d.Offset() != int64(len(wire)) {
				t.Errorf("offset %d of %d", d.Offset(), len(wire))
			}
		}
	}
	// What is given back holds a whole message of one header byte: chunk stream
	// 3 with its last header, empty.
	const ts2 = 0x01C3C304
	m := Message{Type: Video, StreamID: 1, ChunkStream: 6, Timestamp: ts2, Payload: append(make([]byte, 128), 1)}
	empty := Message{Type: Audio, StreamID: 1, ChunkStream: 3}
	e := NewEncoder()
	e.BareType3 = true
	wire := e.Append(e.Append(nil, &empty), &m)
	wire = append(wire, 0xC3, 0xC3, 0xC3)
	want := []Message{empty, m, empty, empty, empty}
	for _, cut := range []func() int{whole, byteWise, func() int { return 2 }} {
		got, err := decodeAll(NewDecoder(Limits{}), wire, cut)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameMessages(got, want); err != nil {
			t.Error(err)
		}
	}
}

// A type 3 header right after type 0 repeats its timestamp as the delta
// (§5.3.1.2.4), as FFmpeg writes it.
func TestType3AfterType0AddsItsTimestamp(t *testing.T) {
	wire := cat(chunk(0, 4, append(head0(23, 1, Audio, 1), 0xAA)...), chunk(3, 4, 0xBB), chunk(3, 4, 0xCC))
	got, err := decodeAll(NewDecoder(Limits{}), wire, whole)
	if err != nil || len(got) != 3 || got[1].Timestamp != 46 || got[2].Timestamp != 69 {
		t.Fatalf("%v %v", got, err)
	}
}

// Chunk size may change between the chunks of a message.
func TestChunkSizeChangesInMidMessage(t *testing.T) {
	p := randomPayload(rand.New(rand.NewPCG(9, 9)), 600)
	wire := cat(chunk(0, 6, append(head0(0, 600, Video, 1), p[:128]...)...), setChunkSize(300),
		chunk(3, 6, p[128:428]...), setChunkSize(1000), chunk(3, 6, p[428:]...))
	got, err := decodeAll(NewDecoder(Limits{}), wire, byteWise)
	if err != nil || len(got) != 3 || string(got[2].Payload) != string(p) {
		t.Fatalf("%v", err)
	}
}

// Memory of one decoder after the worst that a peer can do within the limits.
func TestDecoderMemoryIsBounded(t *testing.T) {
	lim := Limits{Message: 64 << 10}
	d := NewDecoder(lim)
	wire := setChunkSize(1024)
	for id := range uint32(MaxChunkStreams - 1) {
		wire = append(wire, chunk(0, 3+id, append(head0(0, 64<<10, Audio, 1), make([]byte, 1024)...)...)...)
	}
	if _, err := decodeAll(d, wire, whole); err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, cs := range d.streams {
		if cs.buf != nil {
			held += cap(cs.buf.b)
		}
	}
	if most := 2*PartialMessages*lim.Message + 64<<10*MaxChunkStreams; held > most {
		t.Errorf("%d bytes held, formula says %d", held, most)
	}
	d.Release()
	for _, b := range d.streams {
		if b.buf != nil {
			t.Error("buffer not given back")
		}
	}
	if _, _, err := d.Decode([]byte{1}); err == nil {
		t.Error("a released decoder went on")
	}
}

func TestAbortFreesPartialBytes(t *testing.T) {
	d := NewDecoder(Limits{})
	begin := chunk(0, 6, append(head0(0, 1000, Video, 1), make([]byte, 128)...)...)
	for range 1000 {
		if _, err := decodeAll(d, cat(begin, AppendAbort(nil, 6)), whole); err != nil {
			t.Fatal(err)
		}
	}
	if d.Partial() != 0 {
		t.Errorf("partial %d", d.Partial())
	}
}

// The same id in its two- and three-byte form is one chunk stream.
func TestChunkStreamIDForms(t *testing.T) {
	wire := cat(chunk(0, 100, append(head0(7, 1, Audio, 1), 1)...), []byte{3<<6 | 1}, binary.LittleEndian.AppendUint16(nil, 36), []byte{2})
	got, err := decodeAll(NewDecoder(Limits{}), wire, byteWise)
	if err != nil || len(got) != 2 || got[1].ChunkStream != 100 || got[1].Timestamp != 14 {
		t.Fatalf("%v %v", got, err)
	}
}
