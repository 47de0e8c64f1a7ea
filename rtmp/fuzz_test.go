package rtmp

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
)

// resources runs f on an input of n bytes and holds it to the oracle: it
// allocates no more than 8 × n + 1 MiB. Other goroutines of the fuzzing engine
// allocate too, so a breach must show three times.
func resources(t *testing.T, n int, f func()) {
	t.Helper()
	var worst uint64
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		worst = after.TotalAlloc - before.TotalAlloc
		if worst <= uint64(8*n+1<<20) {
			return
		}
	}
	if !raceEnabled {
		t.Errorf("%d bytes allocated for an input of %d", worst, n)
	}
}

// drain decodes input in pieces and checks progress and bounds, copying nothing.
func drain(t *testing.T, lim Limits, input []byte, piece int) {
	d := NewDecoder(lim)
	defer d.Release()
	for len(input) > 0 {
		p := input[:min(piece, len(input))]
		input = input[len(p):]
		for len(p) > 0 {
			n, m, err := d.Decode(p)
			if err != nil {
				if reasonOf(err) == "" {
					t.Fatalf("an error without a reason: %v", err)
				}
				return
			}
			if n == 0 && m == nil {
				t.Fatal("no progress")
			}
			if m == nil && n != len(p) {
				t.Fatalf("%d of %d consumed without a message", n, len(p))
			}
			if m != nil && m.Type.IsControl() {
				ParseControl(m)
			}
			if d.Partial() > PartialMessages*d.max {
				t.Fatalf("partial %d", d.Partial())
			}
			p = p[n:]
		}
	}
}

func FuzzDecoder(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{1, 128, 4096} {
		for _, bare := range []bool{false, true} {
			e := NewEncoder()
			e.BareType3 = bare
			wire := e.SetChunkSize(nil, size)
			for _, m := range randomMessages(r, 8, 300) {
				m.Timestamp |= 1 << 24
				wire = e.Append(wire, &m)
			}
			f.Add(AppendAbort(wire, 4), uint8(1))
		}
	}
	f.Add(AppendSetChunkSize(nil, 0), uint8(7))
	f.Add(AppendSetChunkSize(nil, 0x7FFFFFFF), uint8(7))
	f.Add(chunk(0, 6, head0(0, 1<<24-1, Video, 1)...), uint8(3))
	addCapturedChunks(f)
	lim := Limits{Message: 64 << 10, Command: 16 << 10, ChunkStreams: 8, ChunkWork: 4096}
	f.Fuzz(func(t *testing.T, input []byte, piece uint8) {
		resources(t, len(input), func() { drain(t, lim, input, 1+int(piece)) })
		if len(input) < 16<<10 {
			compareWithNaive(t, input, lim, rand.New(rand.NewPCG(uint64(piece), 9)))
		}
	})
}

func FuzzControl(f *testing.F) {
	f.Add(uint8(1), []byte{0, 0, 16, 0})
	f.Add(uint8(4), []byte{0, 3, 0, 0, 0, 1, 0, 0, 11, 184})
	f.Add(uint8(4), []byte{0, 6, 1})
	f.Add(uint8(6), []byte{0, 0, 16, 0, 2})
	f.Add(uint8(22), AppendAggregate(AppendAggregate(nil, &Message{Type: Audio, Payload: []byte{1}}), &Message{Type: Video, Timestamp: 9}))
	addCapturedControl(f)
	f.Fuzz(func(t *testing.T, typ uint8, payload []byte) {
		m := Message{Type: MessageType(typ), Timestamp: 1 << 31, Payload: payload}
		resources(t, len(payload), func() {
			if ctl, err := ParseControl(&m); err == nil && ctl.Type != m.Type {
				t.Errorf("%+v", ctl)
			} else if err != nil && reasonOf(err) != ReasonShortControl {
				t.Errorf("%v", err)
			}
			total := 0
			for a := NewAggregateReader(&m); a.More(); {
				before := len(a.rest)
				part, err := a.Next()
				if err != nil {
					if reasonOf(err) != ReasonAggregate || a.More() {
						t.Errorf("%v", err)
					}
					break
				}
				if len(a.rest) >= before {
					t.Fatal("no progress")
				}
				if total += len(part.Payload); total > len(payload) {
					t.Fatal("more came out than went in")
				}
			}
		})
	})
}

func FuzzHandshake(f *testing.F) {
	var digest [2][]byte
	for scheme := range digest {
		p := make([]byte, 1+packetSize)
		p[0], p[5] = protocolVersion, 10
		seeded(byte(scheme)).Read(p[9:])
		signPacket(p[1:], scheme, clientKey)
		digest[scheme] = append(p, make([]byte, packetSize)...)
		f.Add(digest[scheme], true)
		f.Add(digest[scheme], false)
	}
	f.Add(append([]byte{3}, make([]byte, 2*packetSize)...), true)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), true)
	f.Add([]byte{0x16, 3, 1}, true)
	f.Add([]byte("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n"), false)
	addCapturedHandshakes(f)
	f.Fuzz(func(t *testing.T, input []byte, server bool) {
		run := ClientHandshake
		if server {
			run = ServerHandshake
		}
		resources(t, len(input), func() {
			in := bytes.NewReader(input)
			rw := &script{in: in}
			_, err := run(rw, HandshakeOptions{})
			if read := len(input) - in.Len(); read > 1+2*packetSize || err == nil && read != 1+2*packetSize {
				t.Fatalf("%d bytes read, %v", read, err)
			}
			if err != nil && reasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			if rw.out.Len() > 1+2*packetSize {
				t.Fatalf("%d bytes written", rw.out.Len())
			}
		})
	})
}
