package rtmp

import (
	"math/rand/v2"
	"testing"
)

// TestSameMessagesWhateverTheReadSize: the pieces in which bytes arrive make no
// difference, nor do chunk size, header compression and dialect.
func TestSameMessagesWhateverTheReadSize(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := randomMessages(r, 30, 700)
		for _, size := range []int{1, 7, 128, 129, 4096, 65536} {
			for _, bare := range []bool{false, true} {
				e := NewEncoder()
				e.BareType3 = bare
				wire := e.SetChunkSize(nil, size)
				for i := range want {
					wire = e.Append(wire, &want[i])
				}
				checkPieces(t, wire, want, r)
			}
			if t.Failed() {
				t.Fatalf("seed %d chunk size %d", seed, size)
			}
		}
	}
}

// TestSameMessagesFromStatelessEncoder is the same for AppendMessage.
func TestSameMessagesFromStatelessEncoder(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		want := randomMessages(r, 30, 700)
		for _, size := range []int{128, 4096} {
			wire := AppendSetChunkSize(nil, uint32(size))
			for i := range want {
				before := len(wire)
				wire = AppendMessage(wire, &want[i], size)
				if got := MessageSize(len(want[i].Payload), want[i].Timestamp, size); got != len(wire)-before {
					t.Fatalf("MessageSize = %d, wrote %d", got, len(wire)-before)
				}
			}
			checkPieces(t, wire, want, r)
		}
	}
}

func checkPieces(t *testing.T, wire []byte, want []Message, r *rand.Rand) {
	t.Helper()
	for name, cut := range map[string]func() int{
		"whole": whole, "bytewise": byteWise, "random": func() int { return 1 + r.IntN(40) },
	} {
		d := NewDecoder(Limits{})
		got, err := decodeAll(d, wire, cut)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) > 0 && got[0].Type == SetChunkSize {
			got = got[1:]
		}
		if err := sameMessages(got, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d.Partial() != 0 || d.MidMessage() || d.Offset() != int64(len(wire)) {
			t.Errorf("%s: left partial %d, mid %v, offset %d of %d", name, d.Partial(), d.MidMessage(), d.Offset(), len(wire))
		}
	}
	got, reason := naiveRead(wire, Limits{})
	if len(got) > 0 && got[0].Type == SetChunkSize {
		got = got[1:]
	}
	if err := sameMessages(got, want); err != nil || reason != "" {
		t.Errorf("naive: %v %s", err, reason)
	}
}

// TestSameMessagesWhateverTheInterleaving: chunks of messages on different chunk
// streams may alternate in any way.
func TestSameMessagesWhateverTheInterleaving(t *testing.T) {
	const size = 100
	ids := []uint32{3, 63, 64, 319, 320, 65_599}
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 3))
		e := NewEncoder()
		wire := e.SetChunkSize(nil, size)
		want := map[uint32][]Message{}
		pending := map[uint32][][]byte{} // chunks by chunk stream
		for _, id := range ids {
			for _, m := range randomMessages(r, 6, 500) {
				m.ChunkStream = id
				want[id] = append(want[id], m)
				header, ext := e.appendHeader(nil, &m, id)
				p := m.Payload
				for {
					n := min(len(p), size)
					pending[id] = append(pending[id], append(header, p[:n]...))
					if p = p[n:]; len(p) == 0 {
						break
					}
					header = e.appendContinuation(nil, &m, id, ext)
				}
			}
		}
		for len(pending) > 0 {
			id := ids[r.IntN(len(ids))]
			if q := pending[id]; len(q) > 1 {
				wire, pending[id] = append(wire, q[0]...), q[1:]
			} else if len(q) == 1 {
				wire = append(wire, q[0]...)
				delete(pending, id)
			}
		}
		got, err := decodeAll(NewDecoder(Limits{}), wire, func() int { return 1 + r.IntN(300) })
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		byID := map[uint32][]Message{}
		for _, m := range got {
			if m.Type != SetChunkSize {
				byID[m.ChunkStream] = append(byID[m.ChunkStream], m)
			}
		}
		for _, id := range ids {
			if err := sameMessages(byID[id], want[id]); err != nil {
				t.Fatalf("seed %d chunk stream %d: %v", seed, id, err)
			}
		}
	}
}

// TestAgreesWithNaiveReaderOnMutations: broken input is broken in the same way.
func TestAgreesWithNaiveReaderOnMutations(t *testing.T) {
	lim := Limits{Message: 4096, ChunkStreams: 6, ChunkWork: 200}
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 4))
		e := NewEncoder()
		e.BareType3 = r.IntN(2) == 0
		wire := e.SetChunkSize(nil, 1+r.IntN(300))
		ms := randomMessages(r, 8, 600)
		for i := range ms {
			wire = e.Append(wire, &ms[i])
			if r.IntN(6) == 0 {
				wire = AppendAbort(wire, uint32(r.IntN(8)))
			}
		}
		for range 1 + r.IntN(4) {
			wire[r.IntN(len(wire))] = byte(r.Uint32())
		}
		compareWithNaive(t, wire, lim, r)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func compareWithNaive(t *testing.T, wire []byte, lim Limits, r *rand.Rand) {
	t.Helper()
	want, reason := naiveRead(wire, lim)
	for name, cut := range map[string]func() int{
		"whole": whole, "bytewise": byteWise, "random": func() int { return 1 + r.IntN(40) },
	} {
		got, err := decodeAll(NewDecoder(lim), wire, cut)
		if reasonOf(err) != reason {
			t.Errorf("%s: %v, naive %q", name, err, reason)
		}
		if err := sameMessages(got, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
