package rtmp

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// liveSecond is a second of a 2.6 Mb/s stream: 25 video frames, the first one a
// key frame ten times the others, and 47 audio frames.
func liveSecond() (ms []Message) {
	r := rand.New(rand.NewPCG(26, 25))
	for i := range 72 {
		ts := uint32(i) * 1000 / 72
		if i%72*25/72 != (i+1)*25/72 {
			n := 8_700
			if i < 3 {
				n = 87_000
			}
			ms = append(ms, Message{Type: Video, StreamID: 1, ChunkStream: 6, Timestamp: ts, Payload: randomPayload(r, n)})
		} else {
			ms = append(ms, Message{Type: Audio, StreamID: 1, ChunkStream: 4, Timestamp: ts, Payload: randomPayload(r, 340)})
		}
	}
	return ms
}

func liveWire(chunkSize int) (wire []byte, count int) {
	ms := liveSecond()
	for i := range ms {
		wire = AppendMessage(wire, &ms[i], chunkSize)
	}
	return wire, len(ms)
}

// decodeCount feeds wire in pieces and counts messages.
func decodeCount(d *Decoder, wire []byte, piece int) (count int) {
	for len(wire) > 0 {
		p := wire[:min(piece, len(wire))]
		wire = wire[len(p):]
		for len(p) > 0 {
			n, m, err := d.Decode(p)
			if err != nil {
				panic(err)
			}
			if m != nil {
				count++
			}
			p = p[n:]
		}
	}
	return count
}

// BenchmarkDecode reads one second of a 2.6 Mb/s stream per operation, in reads
// of 16 KiB.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{1, 128, 4096, 65536} {
		b.Run(fmt.Sprintf("chunk=%d", size), func(b *testing.B) {
			wire, count := liveWire(size)
			d := NewDecoder(Limits{ChunkWork: 1 << 24}) // for chunks of one byte
			decodeAll(d, AppendSetChunkSize(nil, uint32(size)), whole)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				d.Grant(1 << 24)
				if decodeCount(d, wire, 16<<10) != count {
					b.Fatal("messages missing")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/message")
		})
	}
}

// BenchmarkAppendMessage encodes the same second.
func BenchmarkAppendMessage(b *testing.B) {
	for _, size := range []int{128, 4096, 65536} {
		b.Run(fmt.Sprintf("chunk=%d", size), func(b *testing.B) {
			ms := liveSecond()
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = dst[:0]
				for i := range ms {
					dst = AppendMessage(dst, &ms[i], size)
				}
			}
			b.SetBytes(int64(len(dst)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ms)), "ns/message")
		})
	}
}

// BenchmarkServerHandshake is the server's side of a digest handshake.
func BenchmarkServerHandshake(b *testing.B) {
	a := make([]byte, 1+packetSize)
	a[0] = protocolVersion
	a[5] = 10
	signPacket(a[1:], 1, clientKey)
	in := append(a, make([]byte, packetSize)...)
	b.ReportAllocs()
	for b.Loop() {
		if i, err := ServerHandshake(&replay{in: in}, HandshakeOptions{}); err != nil || !i.Digest {
			b.Fatal(i, err)
		}
	}
}

// replay is a peer that has said everything and ignores the answer.
type replay struct{ in []byte }

func (r *replay) Read(p []byte) (int, error) {
	n := copy(p, r.in)
	r.in = r.in[n:]
	return n, nil
}

func (r *replay) Write(p []byte) (int, error) { return len(p), nil }
