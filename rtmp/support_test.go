package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// decodeAll feeds input in pieces that cut names, and copies the messages out.
func decodeAll(d *Decoder, input []byte, cut func() int) (out []Message, err error) {
	for len(input) > 0 {
		piece := input[:min(max(cut(), 1), len(input))]
		input = input[len(piece):]
		for len(piece) > 0 {
			n, m, err := d.Decode(piece)
			if err != nil {
				return out, err
			}
			if n == 0 && m == nil {
				panic("Decode made no progress")
			}
			piece = piece[n:]
			if m != nil {
				c := *m
				c.Payload = bytes.Clone(m.Payload)
				out = append(out, c)
			}
		}
	}
	return out, nil
}

func whole() int    { return 1 << 30 }
func byteWise() int { return 1 }
func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// wantReason feeds input whole and byte by byte, and wants the same refusal.
func wantReason(t *testing.T, lim Limits, input []byte, want Reason) {
	t.Helper()
	for name, cut := range map[string]func() int{"whole": whole, "bytewise": byteWise} {
		d := NewDecoder(lim)
		if _, err := decodeAll(d, input, cut); reasonOf(err) != want {
			t.Errorf("%s: error %v, want reason %q", name, err, want)
		} else if _, _, again := d.Decode([]byte{0}); want != "" && again != err {
			t.Errorf("%s: a broken decoder went on: %v", name, again)
		}
	}
}

func sameMessages(a, b []Message) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d messages, want %d", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.Type != y.Type || x.StreamID != y.StreamID || x.ChunkStream != y.ChunkStream || x.Timestamp != y.Timestamp || !bytes.Equal(x.Payload, y.Payload) {
			return fmt.Errorf("message %d: %+v, want %+v", i, brief(x), brief(y))
		}
	}
	return nil
}

func brief(m Message) string {
	return fmt.Sprintf("%v stream %d chunk stream %d time %d, %d bytes %.12x", m.Type, m.StreamID, m.ChunkStream, m.Timestamp, len(m.Payload), m.Payload)
}

// chunk writes one chunk by hand: basic header, then the rest as given.
func chunk(kind byte, id uint32, rest ...byte) []byte {
	return append(appendBasicHeader(nil, kind, id), rest...)
}

// head0 is a type 0 message header.
func head0(ts uint32, length int, typ MessageType, stream uint32) []byte {
	b := []byte{byte(ts >> 16), byte(ts >> 8), byte(ts), byte(length >> 16), byte(length >> 8), byte(length), byte(typ)}
	return binary.LittleEndian.AppendUint32(b, stream)
}

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// randomPayload has no structure that a probe could mistake.
func randomPayload(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32()) | 0x80
	}
	return p
}

// randomMessages are audio, video and data with the timestamps of a live stream
// that may begin anywhere.
func randomMessages(r *rand.Rand, count, most int) []Message {
	starts := []uint32{0, 1000, 0xFFFFFE, 1<<24 - 40, 1<<31 - 40, 1<<32 - 40, r.Uint32()}
	ts := starts[r.IntN(len(starts))]
	types := []MessageType{Audio, Video, DataAMF0, CommandAMF0}
	var out []Message
	for range count {
		t := types[r.IntN(len(types))]
		n := r.IntN(most)
		if r.IntN(4) == 0 {
			n = r.IntN(8)
		}
		ts += uint32(r.IntN(30))
		if r.IntN(20) == 0 {
			ts -= uint32(r.IntN(50))
		}
		m := Message{Type: t, StreamID: uint32(1 + r.IntN(2)), ChunkStream: DefaultChunkStream(t), Timestamp: ts, Payload: randomPayload(r, n)}
		out = append(out, m)
	}
	return out
}
