package rtmp

import (
	"math/rand/v2"
	"testing"
)

// wantNoAllocs counts allocations per run in steady state.
func wantNoAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(200, f); n != 0 && !raceEnabled {
		t.Errorf("%s: %v allocations per run", what, n)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	for _, size := range []int{128, 4096, 65536} {
		wire, count := liveWire(size)
		d := NewDecoder(Limits{})
		decodeAll(d, AppendSetChunkSize(nil, uint32(size)), whole)
		for _, piece := range []int{1460, 16 << 10, len(wire)} {
			wantNoAllocs(t, "Decode", func() {
				if got := decodeCount(d, wire, piece); got != count {
					t.Fatalf("%d messages of %d", got, count)
				}
			})
		}
	}
}

func TestAppendMessageAllocatesNothing(t *testing.T) {
	m := Message{Type: Video, StreamID: 1, Timestamp: 1 << 25, Payload: make([]byte, 100_000)}
	dst := make([]byte, 0, MessageSize(len(m.Payload), m.Timestamp, 4096))
	wantNoAllocs(t, "AppendMessage", func() { AppendMessage(dst, &m, 4096) })
}

func TestConnAllocatesNothingPerMessage(t *testing.T) {
	a, b := tcpPair(t)
	server, client := NewConn(a, Options{}), NewConn(b, Options{})
	server.SetMaxMessage(0)
	client.SetChunkSize(4096)
	client.WriteRaw(AppendWindowAckSize(nil, 20_000)) // acknowledgements too
	m := Message{Type: Video, StreamID: 1, Payload: randomPayload(rand.New(rand.NewPCG(1, 2)), 10_000)}
	wantNoAllocs(t, "WriteMessage and ReadMessage", func() {
		if err := client.WriteMessage(&m); err != nil {
			t.Fatal(err)
		}
		if _, err := server.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	})
}
